-- Accept one message for a process that sees single tenants alone. Takes what accept_message takes, and returns the same.
-- Keeps: the tenant's proof must be set in the transaction; without it the tenant is unknown.
SELECT status, at_conversation, at_position, waiting
FROM accept_proven_message(%(tenant)s, %(conversation)s, %(message_id)s, %(channel)s, %(payload)s, %(waiting_max)s, %(sender_key)s)
