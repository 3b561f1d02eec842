"""Sending of messages: acceptance in PostgreSQL, the mailbox in Redis, the doorbell."""
