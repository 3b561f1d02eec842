-- Read what the inbox has at one place of a conversation. Takes tenant, conversation, position.
-- Returns one row: message_id, position, channel, state, payload (sealed; null once answered) and the newest reply on that
-- channel (sealed, or null); or no row when nothing was accepted at that place.
SELECT i.message_id, i.position, i.channel, i.state, i.payload,
    (SELECT with_key(o.tenant_id, o.conversation_id, o.body) FROM outbox o
        WHERE o.tenant_id = i.tenant_id AND o.conversation_id = i.conversation_id AND o.kind = 'reply' AND o.channel = i.channel
        ORDER BY o.sequence DESC LIMIT 1) AS last_reply
FROM inbox i
WHERE i.tenant_id = %(tenant)s AND i.conversation_id = %(conversation)s AND i.position = %(position)s
