-- Record spans. Takes spans, a JSON array of objects named like the table's columns; started_at in seconds since the epoch.
-- Keeps: none of a conversation that there is not, since it was erased or never began. A span that is there already stays as it is, so writing twice is safe. Not flushed to disk: when PostgreSQL
-- itself dies, the last half second of traces may be missing, and nothing else.
WITH relaxed AS (SELECT set_config('synchronous_commit', 'off', true))
INSERT INTO span (tenant_id, conversation_id, span_id, parent_id, turn_id, position, attempt, kind, name, started_at,
    milliseconds, error, attributes)
SELECT s.tenant_id, s.conversation_id, s.span_id, s.parent_id, s.turn_id, s.position, s.attempt, s.kind, s.name,
    to_timestamp(s.started_at), s.milliseconds, s.error, s.attributes
FROM relaxed, json_to_recordset(%(spans)s::json) AS s (tenant_id text, conversation_id text, span_id text, parent_id text,
    turn_id text, position bigint, attempt integer, kind text, name text, started_at float8, milliseconds real,
    error text, attributes jsonb)
WHERE EXISTS (SELECT FROM conversation c WHERE c.tenant_id = s.tenant_id AND c.conversation_id = s.conversation_id)
ON CONFLICT DO NOTHING
