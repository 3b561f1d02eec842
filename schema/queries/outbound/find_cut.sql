-- Find what was cut from a stream behind a position. Takes tenant, kind, channel ('' for none), after_position, rows_max.
-- Returns position, conversation_id, entry_id, sequence, body (sealed), in the order of the stream.
SELECT c.position, o.conversation_id, o.entry_id, o.sequence,
    with_key(o.tenant_id, o.conversation_id, o.body) AS body
FROM cut_entry c JOIN outbox o ON o.tenant_id = c.tenant_id AND o.entry_id = c.entry_id
WHERE c.tenant_id = %(tenant)s AND c.kind = %(kind)s AND c.channel = %(channel)s AND c.position > %(after_position)s
ORDER BY c.position
LIMIT %(rows_max)s
