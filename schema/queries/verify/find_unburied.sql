-- Find messages that died without a dead letter, or with several, and dead letters whose message is not dead. Takes
-- findings_max. Returns message_id, its state (null: not in the inbox), letters.
SELECT coalesce(i.tenant_id, d.tenant_id) AS tenant_id, coalesce(i.conversation_id, d.conversation_id) AS conversation_id,
    coalesce(i.message_id, d.message_id) AS message_id, i.state, coalesce(d.letters, 0) AS letters
FROM (SELECT * FROM inbox WHERE state IN ('dead', 'erased')) i
FULL JOIN (
    SELECT tenant_id, conversation_id, message_id, count(*) AS letters
    FROM dead_letter WHERE message_id IS NOT NULL GROUP BY 1, 2, 3) d
    ON d.tenant_id = i.tenant_id AND d.message_id = i.message_id
WHERE i.message_id IS NULL OR (i.state = 'dead' AND coalesce(d.letters, 0) <> 1)
ORDER BY 1, 2, 3
LIMIT %(findings_max)s
