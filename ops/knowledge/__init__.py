"""Bring what the airline publishes into the knowledge base."""
