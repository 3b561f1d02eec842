-- Read what was to go out, for an audit. Takes prefix: how the conversations' names begin.
-- Returns in order: conversation_id, ordinal, kind, entry_id, sequence, is_published.
SELECT conversation_id, ordinal, kind, entry_id, sequence, published_at IS NOT NULL AS is_published FROM outbox
WHERE starts_with(conversation_id, %(prefix)s)
ORDER BY tenant_id, conversation_id, ordinal
