-- Take the lock under which a conversation's webhook events are made and ordered. Takes tenant, conversation.
-- Returns last_ordinal, last_episode, last_sequence. Keeps: the row until the transaction ends.
INSERT INTO webhook_conversation (tenant_id, conversation_id) VALUES (%(tenant)s, %(conversation)s)
ON CONFLICT (tenant_id, conversation_id) DO UPDATE SET last_sequence = webhook_conversation.last_sequence
RETURNING last_ordinal, last_episode, last_sequence
