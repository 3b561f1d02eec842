-- Find the conversations with most turns lately. Takes seconds: how long ago a turn may be; conversations_max.
-- Returns tenant_id, conversation_id, turns, messages, attempts, act_seconds (time spent on agents), last_outcome, owner.
SELECT t.tenant_id, t.conversation_id, count(*) AS turns, sum(cardinality(t.message_ids))::bigint AS messages,
    sum(t.attempts)::bigint AS attempts,
    round((sum((t.timings ->> 'act_ms')::numeric) / 1000), 1)::float8 AS act_seconds,
    (array_agg(t.outcome ORDER BY t.number DESC))[1] AS last_outcome, min(c.owner) AS owner
FROM tenant n
JOIN turn t ON t.tenant_id = n.tenant_id AND t.committed_at > clock_timestamp() - make_interval(secs => %(seconds)s)
JOIN conversation c ON c.tenant_id = t.tenant_id AND c.conversation_id = t.conversation_id
GROUP BY t.tenant_id, t.conversation_id
ORDER BY count(*) DESC, t.tenant_id, t.conversation_id
LIMIT %(conversations_max)s
