-- Sum up what a tenant's model calls used on one day (UTC). Takes tenant, day.
-- Returns for each model: model, calls, degraded_calls, retries, input_tokens, cached_tokens, output_tokens, cost_usd
-- (null: none of its calls has a price); the dearest first.
SELECT u.model, count(*) AS calls, count(*) FILTER (WHERE u.degraded) AS degraded_calls, sum(u.retries) AS retries,
    sum(u.input_tokens) AS input_tokens, sum(u.cached_tokens) AS cached_tokens, sum(u.output_tokens) AS output_tokens,
    sum(u.cost_usd) AS cost_usd
FROM usage_record u
WHERE u.tenant_id = %(tenant)s
    AND u.at >= %(day)s::date::timestamp AT TIME ZONE 'UTC'
    AND u.at < (%(day)s::date + 1)::timestamp AT TIME ZONE 'UTC'
GROUP BY u.model
ORDER BY sum(u.cost_usd) DESC NULLS LAST, u.model
