-- Find out what a message of a channel meets. Takes tenant, message_id, conversation, sender_key, channel, own_addresses (array), since_seconds
-- (how long the rest of a reply waits), quick_seconds. Returns one row: is_known (it was taken before), is_suppressed (its customer has opted out),
-- has_more (a part of the newest reply to them waits until they ask for it), is_quick (a reply left to them within the last quick_seconds).
SELECT
    EXISTS (SELECT FROM inbox i WHERE i.tenant_id = %(tenant)s AND i.message_id = %(message_id)s)
        OR EXISTS (SELECT FROM channel_command m WHERE m.tenant_id = %(tenant)s AND m.message_id = %(message_id)s) AS is_known,
    EXISTS (SELECT FROM channel_suppression s
        WHERE s.tenant_id = %(tenant)s AND s.channel = %(channel)s AND s.own_address = ANY (%(own_addresses)s::text[])
            AND s.sender_key = %(sender_key)s AND s.lifted_at IS NULL) AS is_suppressed,
    coalesce((SELECT d.queued_at >= clock_timestamp() - make_interval(secs => %(since_seconds)s)
            AND EXISTS (SELECT FROM reply_part p WHERE p.tenant_id = d.tenant_id AND p.reply_id = d.reply_id AND p.state = 'held')
        FROM reply_delivery d
        WHERE d.tenant_id = %(tenant)s AND d.conversation_id = %(conversation)s AND d.sender_key = %(sender_key)s
        ORDER BY d.ordinal DESC LIMIT 1), false) AS has_more,
    EXISTS (SELECT FROM reply_delivery q
        WHERE q.tenant_id = %(tenant)s AND q.sender_key = %(sender_key)s AND q.state = 'sent'
            AND q.finished_at >= clock_timestamp() - make_interval(secs => %(quick_seconds)s)) AS is_quick
