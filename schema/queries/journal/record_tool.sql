-- Record what a finished tool call of a turn under way did. Takes tenant, message_id, call_id, tool, input_hash, delta.
-- Keeps: a later attempt with another input replaces an entry; a message that is answered meanwhile gets none. Not
-- flushed to disk: when PostgreSQL itself dies, the tool is called again, and what it stages is committed once.
WITH relaxed AS (SELECT set_config('synchronous_commit', 'off', true))
INSERT INTO tool_journal (tenant_id, message_id, call_id, tool, input_hash, delta)
SELECT i.tenant_id, i.message_id, %(call_id)s, %(tool)s, %(input_hash)s, %(delta)s
FROM relaxed, inbox i
WHERE i.tenant_id = %(tenant)s AND i.message_id = %(message_id)s AND i.state = 'accepted'
ON CONFLICT (tenant_id, message_id, call_id)
DO UPDATE SET tool = excluded.tool, input_hash = excluded.input_hash, delta = excluded.delta, created_at = now()
