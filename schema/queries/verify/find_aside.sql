-- Find groups of consumers that do not collect what was cut from their streams, of the tenants in scope. Takes
-- age_seconds: how long a group may stand still; findings_max.
-- Returns tenant_id, conversation_id ('': it is about none), place (its kind, channel and name), name, seconds since it last collected anything, entries cut that it lacks.
SELECT g.tenant_id, '' AS conversation_id, concat_ws(' ', g.kind, nullif(g.channel, ''), g.name) AS place, g.name,
    round(extract(epoch FROM now() - g.moved_at))::bigint AS seconds,
    (SELECT count(*) FROM cut_entry c WHERE c.tenant_id = g.tenant_id AND c.kind = g.kind AND c.channel = g.channel
        AND c.position > g.position) AS entries
FROM stream_group g
WHERE g.aside_at IS NOT NULL AND g.moved_at < now() - make_interval(secs => %(age_seconds)s)
ORDER BY g.moved_at
LIMIT %(findings_max)s
