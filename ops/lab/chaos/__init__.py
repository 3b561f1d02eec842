"""Chaos tests: break a running product on purpose, and audit what became of every message."""
