-- Find the newest reply to a customer in a conversation, if a part of it waits until they ask for more. Takes tenant, conversation,
-- sender_key, since_seconds. Returns reply_id and channel; no row: nothing waits, or a newer reply has taken its place.
SELECT d.reply_id, d.channel FROM (
    SELECT n.reply_id, n.channel, n.queued_at, n.tenant_id FROM reply_delivery n
    WHERE n.tenant_id = %(tenant)s AND n.conversation_id = %(conversation)s AND n.sender_key = %(sender_key)s
    ORDER BY n.ordinal DESC LIMIT 1) d
WHERE d.queued_at >= clock_timestamp() - make_interval(secs => %(since_seconds)s)
    AND EXISTS (SELECT FROM reply_part p WHERE p.tenant_id = d.tenant_id AND p.reply_id = d.reply_id AND p.state = 'held')
