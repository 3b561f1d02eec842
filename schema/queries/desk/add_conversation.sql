-- Make a conversation that is not there yet, to record in it what an operator did. Takes tenant, conversation.
INSERT INTO conversation (tenant_id, conversation_id) VALUES (%(tenant)s, %(conversation)s) ON CONFLICT DO NOTHING
