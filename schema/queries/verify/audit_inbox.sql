-- Read what became of messages, for an audit. Takes prefix: how their conversations' names begin.
-- Returns in order: conversation_id, position, message_id, state, accepted_at, finished_at.
SELECT conversation_id, position, message_id, state, accepted_at, finished_at FROM inbox
WHERE starts_with(conversation_id, %(prefix)s)
ORDER BY tenant_id, conversation_id, position
