-- Keep where conversations stand, under a keyed hash of their names, for one that begins anew. Takes tenant, conversations.
-- Keeps: the version goes on, so a turn that is under way commits nothing into a conversation that begins anew.
INSERT INTO erased_conversation (tenant_id, conversation_hash, version, last_position, last_sequence, last_ordinal, last_item)
SELECT c.tenant_id, keyed_hash(c.tenant_id, 'conversation ' || c.conversation_id), c.version + 1, c.last_position, c.last_sequence,
    c.last_ordinal, c.last_item
FROM conversation c
WHERE c.tenant_id = %(tenant)s AND c.conversation_id = ANY (%(conversations)s)
ON CONFLICT (tenant_id, conversation_hash) DO UPDATE
SET version = excluded.version, last_position = excluded.last_position, last_sequence = excluded.last_sequence,
    last_ordinal = excluded.last_ordinal, last_item = excluded.last_item, erased_at = clock_timestamp()
