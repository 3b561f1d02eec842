-- Find the bot's newest replies that may not have left. Takes tenant, conversation, rows_max.
-- Returns ordinal, sequence, channel, entry_id, is_published, newest first; none from before the last reply of a person, and none
-- that a consumer is known to have collected.
SELECT o.ordinal, o.sequence, o.channel, o.entry_id, o.published_at IS NOT NULL AS is_published
FROM outbox o
LEFT JOIN collected_stream l ON l.tenant_id = o.tenant_id AND l.kind = 'reply' AND l.channel = o.channel
WHERE o.tenant_id = %(tenant)s AND o.conversation_id = %(conversation)s AND o.kind = 'reply' AND o.by_person IS NULL
    AND o.withdrawn_at IS NULL AND (o.stream_position IS NULL OR o.stream_position > coalesce(l.position, 0))
ORDER BY o.ordinal DESC
LIMIT %(rows_max)s
