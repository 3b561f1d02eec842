-- Give a conversation a key of its own, unless it has one. Takes tenant, conversation, sealed_key. Returns sealed_key: the one it has now; no
-- row when there is no such conversation. Keeps: one key for each conversation. Not flushed to disk: what is sealed with the key is written
-- behind it, so when PostgreSQL itself dies, none of that is left without it.
WITH relaxed AS (SELECT set_config('synchronous_commit', 'off', true))
INSERT INTO conversation_key AS k (tenant_id, conversation_id, sealed_key)
SELECT c.tenant_id, c.conversation_id, %(sealed_key)s FROM relaxed, conversation c
WHERE c.tenant_id = %(tenant)s AND c.conversation_id = %(conversation)s
ON CONFLICT (tenant_id, conversation_id) DO UPDATE SET sealed_key = k.sealed_key
RETURNING sealed_key
