-- Add deliveries of a conversation's replies. Takes tenant, conversation, channel, replies (JSON: reply_id, ordinal, sender_key, author).
-- Returns reply_id of each that was added. Keeps: a reply to whom no route leads gets no delivery: another gateway handed their message in.
INSERT INTO reply_delivery (tenant_id, reply_id, conversation_id, ordinal, channel, account_id, own_address, own_group, sender_key, author)
    SELECT %(tenant)s, g.reply_id, %(conversation)s, g.ordinal, %(channel)s, r.account_id, r.own_address, r.own_group, g.sender_key, g.author
    FROM jsonb_to_recordset(%(replies)s) AS g (reply_id text, ordinal bigint, sender_key text, author text)
    JOIN conversation_route r ON r.tenant_id = %(tenant)s AND r.conversation_id = %(conversation)s AND r.sender_key = g.sender_key
ON CONFLICT DO NOTHING
RETURNING reply_id
