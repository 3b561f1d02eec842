"""Mailboxes and leases of conversations in Redis."""
