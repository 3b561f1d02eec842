-- Count the messages of every tenant in scope, by what became of them, in one snapshot. Takes nothing.
-- Returns tenant_id, accepted and waiting (as the conversations say), answered, dead, erased (as the inbox says).
SELECT c.tenant_id, c.accepted, c.waiting, coalesce(i.answered, 0) AS answered, coalesce(i.dead, 0) AS dead,
    coalesce(i.erased, 0) AS erased
FROM (
    SELECT tenant_id, sum(last_position - gone_position)::bigint AS accepted, sum(last_position - done_position)::bigint AS waiting
    FROM conversation GROUP BY tenant_id) c
LEFT JOIN (
    SELECT tenant_id, count(*) FILTER (WHERE state = 'answered') AS answered, count(*) FILTER (WHERE state = 'dead') AS dead,
        count(*) FILTER (WHERE state = 'erased') AS erased
    FROM inbox GROUP BY tenant_id) i USING (tenant_id)
ORDER BY c.tenant_id
