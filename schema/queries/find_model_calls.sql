-- Find when the models of conversations were at work. Takes tenant, conversations (an array).
-- Returns conversation_id, started_at (epoch seconds), milliseconds of each model call, in order.
SELECT t.conversation_id, c.started_at, c.milliseconds
FROM turn t CROSS JOIN LATERAL jsonb_to_recordset(t.model_calls) AS c (started_at float8, milliseconds float8)
WHERE t.tenant_id = %(tenant)s AND t.conversation_id = ANY (%(conversations)s)
ORDER BY t.conversation_id, c.started_at
