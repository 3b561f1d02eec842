"""The airline's records in PostgreSQL."""
