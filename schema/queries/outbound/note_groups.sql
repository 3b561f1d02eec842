-- Note where groups of consumers stand. Takes equally long arrays: tenants, kinds, channels ('' for none), names, positions,
-- asides (whether each collects from a stream of its own), lives (of their tenants' streams, when that was seen).
-- Keeps: a position never goes back; what was seen in an earlier epoch of the streams is not noted.
INSERT INTO stream_group AS g (tenant_id, kind, channel, name, position, aside_at, life)
SELECT n.tenant, n.kind, n.channel, n.name, n.position, CASE WHEN n.is_aside THEN now() END, n.life
FROM unnest(%(tenants)s::text[], %(kinds)s::text[], %(channels)s::text[], %(names)s::text[], %(positions)s::bigint[],
        %(asides)s::boolean[], %(lives)s::bigint[]) AS n (tenant, kind, channel, name, position, is_aside, life)
    JOIN tenant t ON t.tenant_id = n.tenant AND t.stream_life = n.life
ORDER BY n.tenant, n.kind, n.channel, n.name
ON CONFLICT (tenant_id, kind, channel, name) DO UPDATE
    SET position = greatest(g.position, excluded.position), life = excluded.life,
        moved_at = CASE WHEN excluded.position > g.position THEN now() ELSE g.moved_at END,
        aside_at = CASE WHEN excluded.aside_at IS NOT NULL THEN coalesce(g.aside_at, excluded.aside_at) END
    WHERE g.position < excluded.position OR g.life <> excluded.life OR (g.aside_at IS NULL) <> (excluded.aside_at IS NULL)
