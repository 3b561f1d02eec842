-- Accept one message as a process that sees single tenants alone: as accept_message does, where the transaction has the tenant's proof.
-- Returns as accept_message; unknown_tenant also without the proof.
SELECT status, at_conversation, at_position, waiting
FROM accept_proven_message(
    %(tenant)s, %(conversation)s, %(message_id)s, %(channel)s, %(payload)s, %(waiting_max)s, %(sender_key)s)
