-- Find where groups of consumers stand, of the tenants in scope. Takes nothing.
-- Returns tenant_id, kind, channel ('' for none), name, position (collected up to there), is_aside, seconds_aside, and
-- cut_position: up to where entries were cut from the stream that some group has not collected, or 0.
SELECT g.tenant_id, g.kind, g.channel, g.name, g.position, g.aside_at IS NOT NULL AS is_aside,
    coalesce(extract(epoch FROM now() - g.aside_at), 0)::float8 AS seconds_aside,
    coalesce((SELECT max(c.position) FROM cut_entry c
        WHERE c.tenant_id = g.tenant_id AND c.kind = g.kind AND c.channel = g.channel), 0) AS cut_position
FROM stream_group g
ORDER BY g.tenant_id, g.kind, g.channel, g.name
