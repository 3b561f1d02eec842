-- Count a mail that is to be answered. Takes tenant, kinds, counted (arrays of equal length). Returns kind, in_hour (of the clock's),
-- in_day (the last 24 hours), this mail included.
WITH counted AS (
    INSERT INTO mail_count AS c (tenant_id, kind, counted, hour)
    SELECT %(tenant)s, k.kind, k.counted, date_trunc('hour', now())
    FROM unnest(%(kinds)s::text[], %(counted)s::text[]) AS k (kind, counted)
    ORDER BY k.kind, k.counted
    ON CONFLICT (tenant_id, kind, counted, hour) DO UPDATE SET messages = c.messages + 1
    RETURNING c.kind, c.counted, c.hour, c.messages
)
SELECT
    n.kind, n.messages AS in_hour,
    n.messages + coalesce((
        SELECT sum(e.messages) FROM mail_count e
        WHERE e.tenant_id = %(tenant)s AND e.kind = n.kind AND e.counted = n.counted
            AND e.hour < n.hour AND e.hour > n.hour - interval '24 hours'
    ), 0)::bigint AS in_day
FROM counted n
