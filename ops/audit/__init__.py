"""The audit log: who did what to what, and why; one chain of hashes for each tenant."""
