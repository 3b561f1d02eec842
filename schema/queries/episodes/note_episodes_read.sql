-- Note up to when committed turns are taken up. Takes tenants and read_to (arrays of the same length).
INSERT INTO episode_progress (tenant_id, read_to)
    SELECT * FROM unnest(%(tenants)s::text[], %(read_to)s::timestamptz[])
ON CONFLICT (tenant_id) DO UPDATE SET read_to = greatest(episode_progress.read_to, excluded.read_to)
