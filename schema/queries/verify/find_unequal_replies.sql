-- Find conversations with a reply too many or too few for their turns. Each turn replies once, but not one that only recorded
-- a message for a human; one that gave a message up replies where it can. Takes findings_max.
-- Returns replies, the turns that reply and those that may.
SELECT c.tenant_id, c.conversation_id, c.last_sequence AS replies, coalesce(t.replying, 0) AS replying,
    coalesce(t.dead, 0) AS dead
FROM conversation c
LEFT JOIN (
    SELECT tenant_id, conversation_id, count(*) FILTER (WHERE outcome IN ('answered', 'refused', 'escalated')) AS replying,
        count(*) FILTER (WHERE outcome = 'dead') AS dead
    FROM turn GROUP BY tenant_id, conversation_id) t USING (tenant_id, conversation_id)
WHERE c.last_sequence NOT BETWEEN coalesce(t.replying, 0) AND coalesce(t.replying, 0) + coalesce(t.dead, 0)
ORDER BY c.tenant_id, c.conversation_id
LIMIT %(findings_max)s
