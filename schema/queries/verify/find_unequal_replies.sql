-- Find conversations with a reply too many or too few for their turns. Each turn replies once, but not one that only recorded
-- a message for a human; one that gave a message up replies where it can. So does each reply and each apology of the desk.
-- Takes findings_max.
-- Returns replies, the turns (and acts of the desk) that reply and those that may.
SELECT c.tenant_id, c.conversation_id, c.last_sequence - c.gone_sequence AS replies, coalesce(t.replying, 0) + coalesce(d.replying, 0) AS replying,
    coalesce(t.dead, 0) + coalesce(d.apologies, 0) AS dead
FROM conversation c
LEFT JOIN (
    SELECT tenant_id, conversation_id, count(*) FILTER (WHERE outcome IN ('answered', 'refused', 'escalated')) AS replying,
        count(*) FILTER (WHERE outcome = 'dead') AS dead
    FROM turn GROUP BY tenant_id, conversation_id) t USING (tenant_id, conversation_id)
LEFT JOIN (
    SELECT tenant_id, conversation_id, count(*) FILTER (WHERE act = 'reply') AS replying,
        count(*) FILTER (WHERE act = 'apologise') AS apologies
    FROM desk_act GROUP BY tenant_id, conversation_id) d USING (tenant_id, conversation_id)
WHERE c.last_sequence - c.gone_sequence NOT BETWEEN coalesce(t.replying, 0) + coalesce(d.replying, 0)
    AND coalesce(t.replying, 0) + coalesce(d.replying, 0) + coalesce(t.dead, 0) + coalesce(d.apologies, 0)
ORDER BY c.tenant_id, c.conversation_id
LIMIT %(findings_max)s
