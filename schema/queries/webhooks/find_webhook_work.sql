-- Find conversations of a tenant with outbox rows, closed episodes or receipts of replies that were not turned into webhook events. Takes tenant,
-- since_seconds, conversations_max. Returns conversation_id. Looks no further back than when the first target was added.
WITH since AS (
    SELECT greatest(min(created_at), clock_timestamp() - make_interval(secs => %(since_seconds)s)) AS at
    FROM webhook_target WHERE tenant_id = %(tenant)s
)
SELECT DISTINCT found.conversation_id FROM (
    (SELECT o.conversation_id
        FROM since CROSS JOIN unnest(ARRAY['reply', 'escalation', 'event']) AS of (kind)
        JOIN outbox o ON o.tenant_id = %(tenant)s AND o.kind = of.kind AND o.created_at >= since.at
            AND o.stream_position >= (extract(epoch FROM since.at) * 1000)::bigint * 1000000
        LEFT JOIN webhook_conversation w ON w.tenant_id = o.tenant_id AND w.conversation_id = o.conversation_id
        WHERE o.ordinal > coalesce(w.last_ordinal, 0)
        LIMIT %(conversations_max)s)
    UNION ALL
    (SELECT e.conversation_id
        FROM since JOIN episode e ON e.tenant_id = %(tenant)s AND e.noted_at >= since.at AND e.closed_at >= since.at
        LEFT JOIN webhook_conversation w ON w.tenant_id = e.tenant_id AND w.conversation_id = e.conversation_id
        WHERE e.number > coalesce(w.last_episode, 0)
        LIMIT %(conversations_max)s)
    UNION ALL
    (SELECT d.conversation_id
        FROM since JOIN reply_delivery d ON d.tenant_id = %(tenant)s AND d.receipt_at >= since.at
            AND d.receipt IS NOT NULL AND d.receipt_told_at IS NULL
        LIMIT %(conversations_max)s)) found
