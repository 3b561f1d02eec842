-- Read what turns did, for an audit. Takes prefix: how their conversations' names begin.
-- Returns in order: conversation_id, number, message_ids, outcome, attempts, committed_at, calls (of a provider's model).
SELECT t.conversation_id, t.number, t.message_ids, t.outcome, t.attempts, t.committed_at,
    (SELECT count(*) FROM jsonb_array_elements(t.model_calls) AS c (value)
        WHERE NOT coalesce((c.value ->> 'degraded')::boolean, false)) AS calls
FROM turn t
WHERE starts_with(t.conversation_id, %(prefix)s)
ORDER BY t.tenant_id, t.conversation_id, t.number
