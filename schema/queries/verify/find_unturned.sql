-- Find messages that are done without exactly one turn, or wait although a turn has done them, and turns that name a message
-- which the inbox does not have. Takes findings_max. Returns message_id, its state (null: not in the inbox), turns.
SELECT coalesce(i.tenant_id, n.tenant_id) AS tenant_id, coalesce(i.conversation_id, n.conversation_id) AS conversation_id,
    coalesce(i.message_id, n.message_id) AS message_id, i.state, coalesce(n.turns, 0) AS turns
FROM inbox i
FULL JOIN (
    SELECT t.tenant_id, t.conversation_id, m.message_id, count(*) AS turns
    FROM turn t, unnest(t.message_ids) AS m (message_id)
    GROUP BY 1, 2, 3) n
    ON n.tenant_id = i.tenant_id AND n.conversation_id = i.conversation_id AND n.message_id = i.message_id
WHERE i.message_id IS NULL OR (i.state IN ('answered', 'dead') AND coalesce(n.turns, 0) <> 1)
    OR (i.state = 'erased' AND n.turns > 1) OR (i.state = 'accepted' AND n.turns > 0)
ORDER BY 1, 2, 3
LIMIT %(findings_max)s
