-- List a conversation's newest messages behind a position. Takes tenant, conversation, position, rows_max.
-- Returns message_id, position, channel, accepted_at, payload (sealed; null once a turn took it up), items: what the history has of it then.
SELECT i.message_id, i.position, i.channel, i.accepted_at,
    with_key(i.tenant_id, i.conversation_id, i.payload) AS payload,
    (SELECT jsonb_agg(item_with_key(s.tenant_id, s.conversation_id, s.item) ORDER BY s.ordinal) FROM turn t JOIN session_item s
        ON s.tenant_id = t.tenant_id AND s.conversation_id = t.conversation_id AND s.turn = t.number AND s.item ->> 'role' = 'user'
        WHERE t.tenant_id = i.tenant_id AND t.conversation_id = i.conversation_id AND i.message_id = ANY (t.message_ids)) AS items
FROM inbox i
WHERE i.tenant_id = %(tenant)s AND i.conversation_id = %(conversation)s AND i.position > %(position)s
ORDER BY i.position DESC LIMIT %(rows_max)s
