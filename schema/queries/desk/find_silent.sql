-- Find conversations of all tenants in which people are late: a claim has run out, or nobody answered in time and that is not noted
-- since. Takes rows_max. Returns tenant_id, conversation_id, desk_state, is_lapsed, is_overdue, is_apologised (since this wait began).
SELECT c.tenant_id, c.conversation_id, c.desk_state, c.desk_state = 'human' AND c.claimed_until <= clock_timestamp() AS is_lapsed,
    coalesce(c.answer_by <= clock_timestamp() AND (c.overdue_noted_at IS NULL OR c.overdue_noted_at < c.answer_by), false) AS is_overdue,
    EXISTS (SELECT FROM desk_act a WHERE a.tenant_id = c.tenant_id AND a.conversation_id = c.conversation_id
        AND a.act = 'apologise' AND a.at >= c.waiting_since) AS is_apologised
FROM conversation c
WHERE c.desk_state IN ('waiting', 'human')
    AND (c.claimed_until <= clock_timestamp()
        OR (c.answer_by <= clock_timestamp() AND (c.overdue_noted_at IS NULL OR c.overdue_noted_at < c.answer_by)))
ORDER BY c.answer_by, c.tenant_id, c.conversation_id
LIMIT %(rows_max)s
