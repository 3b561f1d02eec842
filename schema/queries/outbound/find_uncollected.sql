-- Find a page of what is published on one stream, not collected and not erased. Takes tenant, kind, channel ('' for none),
-- from_position, after_conversation, after_ordinal: where the last page ended; rows_max.
-- Returns conversation_id, ordinal, stream_position, published_seconds_ago, in the order of the stream.
SELECT conversation_id, ordinal, stream_position,
    extract(epoch FROM clock_timestamp() - published_at)::float8 AS published_seconds_ago
FROM outbox
WHERE tenant_id = %(tenant)s AND kind = %(kind)s AND coalesce(channel, '') = %(channel)s
    AND stream_position >= %(from_position)s AND body <> ''
    AND (stream_position, conversation_id, ordinal) > (%(from_position)s, %(after_conversation)s, %(after_ordinal)s)
ORDER BY stream_position, conversation_id, ordinal
LIMIT %(rows_max)s
