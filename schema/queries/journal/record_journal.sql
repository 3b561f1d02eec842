-- Record finished model calls of turns under way, and what they cost. Takes equally long arrays: tenants, conversations,
-- message_ids, steps, input_hashes, responses, models, degraded, input_tokens, cached_tokens, output_tokens, costs_usd,
-- milliseconds, retries; no message's step stands twice in them. An entry without tokens was recorded before.
-- Returns tenant_id, day (UTC), cost_usd: the new total of each tenant whose calls cost something.
-- Keeps: a later attempt with another input replaces an entry; a message that is answered meanwhile gets none. Usage is
-- recorded once for each call, whatever becomes of its turn. Tenants' totals are locked in one order. Not flushed to
-- disk: when PostgreSQL itself dies, a model call is asked again, and its usage is lost with it; nothing else is.
WITH relaxed AS (SELECT set_config('synchronous_commit', 'off', true)),
call AS (
    SELECT * FROM unnest(%(tenants)s::text[], %(conversations)s::text[], %(message_ids)s::text[], %(steps)s::int[],
        %(input_hashes)s::text[], %(responses)s::text[], %(models)s::text[], %(degraded)s::boolean[],
        %(input_tokens)s::int[], %(cached_tokens)s::int[], %(output_tokens)s::int[], %(costs_usd)s::numeric[],
        %(milliseconds)s::float8[], %(retries)s::int[])
        AS c (tenant_id, conversation_id, message_id, step, input_hash, response, model, degraded, input_tokens,
            cached_tokens, output_tokens, cost_usd, milliseconds, retries)
),
entry AS (
    INSERT INTO journal (tenant_id, message_id, step, input_hash, response, model, degraded)
    SELECT c.tenant_id, c.message_id, c.step, c.input_hash, c.response, c.model, c.degraded
    FROM relaxed, call c
    JOIN inbox i ON i.tenant_id = c.tenant_id AND i.message_id = c.message_id AND i.state = 'accepted'
    ON CONFLICT (tenant_id, message_id, step) DO UPDATE
        SET input_hash = excluded.input_hash, response = excluded.response, model = excluded.model,
            degraded = excluded.degraded, created_at = now()
),
used AS (
    INSERT INTO usage_record (tenant_id, conversation_id, message_id, step, model, degraded, input_tokens, cached_tokens,
        output_tokens, cost_usd, milliseconds, retries)
    SELECT c.tenant_id, c.conversation_id, c.message_id, c.step, c.model, c.degraded, c.input_tokens, c.cached_tokens,
        c.output_tokens, c.cost_usd, c.milliseconds, c.retries
    FROM call c WHERE c.input_tokens IS NOT NULL
)
INSERT INTO usage_day AS d (tenant_id, day, cost_usd)
SELECT c.tenant_id, (now() AT TIME ZONE 'UTC')::date, sum(c.cost_usd)
FROM call c WHERE c.cost_usd > 0
GROUP BY c.tenant_id ORDER BY c.tenant_id
ON CONFLICT (tenant_id, day) DO UPDATE SET cost_usd = d.cost_usd + excluded.cost_usd
RETURNING d.tenant_id, d.day, d.cost_usd
