-- Keep the ids of conversations' messages as keyed hashes, so that none is ever accepted again. Takes tenant, conversations.
INSERT INTO accepted_id (tenant_id, message_hash)
SELECT i.tenant_id, keyed_hash(i.tenant_id, 'message ' || i.message_id) FROM inbox i
WHERE i.tenant_id = %(tenant)s AND i.conversation_id = ANY (%(conversations)s)
ON CONFLICT DO NOTHING
