"""How work gets in: acceptance in PostgreSQL, the mailbox, the doorbell."""
