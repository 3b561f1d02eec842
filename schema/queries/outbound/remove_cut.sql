-- Remove what was cut from streams and is collected since by every group that needed it. Takes rows_max.
-- Keeps: what was cut within the last minute stays, for the groups' notes may be as old.
DELETE FROM cut_entry WHERE (tenant_id, kind, channel, position) IN (
    SELECT c.tenant_id, c.kind, c.channel, c.position FROM cut_entry c
    WHERE c.cut_at < now() - interval '1 minute' AND NOT EXISTS (SELECT FROM stream_group g
        WHERE g.tenant_id = c.tenant_id AND g.kind = c.kind AND g.channel = c.channel
            AND g.aside_at IS NOT NULL AND g.position < c.position)
    LIMIT %(rows_max)s)
