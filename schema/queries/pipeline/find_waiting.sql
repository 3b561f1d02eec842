-- Find the unanswered messages of one conversation up to a position. Takes tenant, conversation, up_to, messages_max.
-- Returns them in order: what a mailbox that lost entries is repaired from.
SELECT message_id, position, payload FROM inbox
WHERE tenant_id = %(tenant)s AND conversation_id = %(conversation)s AND state = 'accepted' AND position < %(up_to)s
ORDER BY position LIMIT %(messages_max)s
