-- Sum up what the requests of a tenant's turns of one day (UTC) were made of. Takes tenant, day.
-- Returns for each part of a request, "guardrail" being the whole of what is asked beside the agents, the largest
-- first: part, input_tokens, calls (which have the part), turns (all that asked over the wire: the same in each row).
WITH asked AS (
    SELECT t.conversation_id, t.number, c.call
    FROM turn t CROSS JOIN jsonb_array_elements(t.model_calls) AS c (call)
    WHERE t.tenant_id = %(tenant)s
        AND t.committed_at >= %(day)s::date::timestamp AT TIME ZONE 'UTC'
        AND t.committed_at < (%(day)s::date + 1)::timestamp AT TIME ZONE 'UTC'
        AND jsonb_typeof(c.call -> 'input_parts') = 'object' AND c.call -> 'input_parts' <> '{}')
SELECT CASE WHEN a.call ->> 'purpose' = 'guardrail' THEN 'guardrail' ELSE p.part END AS part,
    sum(p.tokens::bigint) AS input_tokens, count(DISTINCT a.call) AS calls,
    (SELECT count(DISTINCT (w.conversation_id, w.number)) FROM asked w) AS turns
FROM asked a CROSS JOIN jsonb_each_text(a.call -> 'input_parts') AS p (part, tokens)
GROUP BY 1
ORDER BY 2 DESC, 1
