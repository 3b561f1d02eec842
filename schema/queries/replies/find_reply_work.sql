-- Find conversations with replies on a channel that were not taken up for delivery. Takes tenant, channel, since_seconds,
-- conversations_max. Returns conversation_id.
SELECT DISTINCT o.conversation_id
FROM outbox o
LEFT JOIN reply_conversation p ON p.tenant_id = o.tenant_id AND p.conversation_id = o.conversation_id AND p.channel = o.channel
WHERE o.tenant_id = %(tenant)s AND o.kind = 'reply' AND o.channel = %(channel)s
    AND o.created_at >= clock_timestamp() - make_interval(secs => %(since_seconds)s)
    AND o.stream_position >= (extract(epoch FROM clock_timestamp() - make_interval(secs => %(since_seconds)s)) * 1000)::bigint * 1000000
    AND o.ordinal > coalesce(p.last_ordinal, 0)
    AND EXISTS (SELECT FROM conversation_route r
        WHERE r.tenant_id = o.tenant_id AND r.conversation_id = o.conversation_id AND r.since <= o.created_at)
LIMIT %(conversations_max)s
