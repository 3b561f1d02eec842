-- Note how far streams are collected. Takes four equally long arrays: tenants, kinds, channels ('' for none), positions.
-- Keeps: a position never goes back.
INSERT INTO collected_stream (tenant_id, kind, channel, position)
SELECT * FROM unnest(%(tenants)s::text[], %(kinds)s::text[], %(channels)s::text[], %(positions)s::bigint[])
ON CONFLICT (tenant_id, kind, channel) DO UPDATE SET position = excluded.position, noted_at = now()
WHERE collected_stream.position < excluded.position
