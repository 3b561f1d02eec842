-- Give a conversation a key of its own. Takes tenant, conversation, sealed_key. Returns a row; none where it has one by now.
INSERT INTO conversation_key (tenant_id, conversation_id, sealed_key)
VALUES (%(tenant)s, %(conversation)s, %(sealed_key)s)
ON CONFLICT DO NOTHING
RETURNING 1
