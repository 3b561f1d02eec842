-- Forget groups of consumers that somebody destroyed: noted in this epoch of their tenant's streams, and seen there no more.
-- Takes tenants and lives: of which streams' groups all that there are were seen; and what was seen, in equally long arrays:
-- seen_tenants, seen_kinds, seen_channels, seen_names.
-- Returns tenant_id, kind, channel, name.
DELETE FROM stream_group g
USING unnest(%(tenants)s::text[], %(lives)s::bigint[]) AS l (tenant, life)
WHERE g.tenant_id = l.tenant AND g.life = l.life
    AND NOT EXISTS (SELECT FROM unnest(%(seen_tenants)s::text[], %(seen_kinds)s::text[], %(seen_channels)s::text[],
            %(seen_names)s::text[]) AS s (tenant, kind, channel, name)
        WHERE (s.tenant, s.kind, s.channel, s.name) = (g.tenant_id, g.kind, g.channel, g.name))
RETURNING g.tenant_id, g.kind, g.channel, g.name
