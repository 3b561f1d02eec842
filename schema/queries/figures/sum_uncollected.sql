-- Sum up what groups of consumers have not collected, over all tenants in scope. Takes entries_max: where to stop counting
-- for one group of one tenant.
-- Returns kind, channel ('' for none), name, entries, seconds: the age of the oldest (0 without any).
SELECT g.kind, g.channel, g.name, sum(b.entries)::bigint AS entries, coalesce(max(b.seconds), 0)::float8 AS seconds
FROM stream_group g
CROSS JOIN LATERAL (
    SELECT count(*) AS entries, extract(epoch FROM clock_timestamp() - min(u.published_at)) AS seconds
    FROM (
        SELECT o.published_at FROM outbox o
        WHERE o.tenant_id = g.tenant_id AND o.kind = g.kind AND o.stream_position > g.position
            AND coalesce(o.channel, '') = g.channel AND o.body <> ''
        ORDER BY o.stream_position
        LIMIT %(entries_max)s) u) b
GROUP BY g.kind, g.channel, g.name
ORDER BY g.kind, g.channel, g.name
