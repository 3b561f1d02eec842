"""What the worker keeps in PostgreSQL."""
