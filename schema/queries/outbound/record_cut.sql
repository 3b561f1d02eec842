-- Record what is about to be cut from a stream, for the groups that have not collected it. Takes tenant, kind, channel ('' for
-- none) and two equally long arrays: positions, entry_ids.
INSERT INTO cut_entry (tenant_id, kind, channel, position, entry_id)
SELECT %(tenant)s, %(kind)s, %(channel)s, c.position, c.entry_id
FROM unnest(%(positions)s::bigint[], %(entry_ids)s::text[]) AS c (position, entry_id)
ON CONFLICT DO NOTHING
