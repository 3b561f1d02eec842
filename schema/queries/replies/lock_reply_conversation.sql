-- Take the lock under which a conversation's replies on a channel are taken up and ordered. Takes tenant, conversation, channel.
-- Returns last_ordinal. Keeps: the row until the transaction ends.
INSERT INTO reply_conversation (tenant_id, conversation_id, channel) VALUES (%(tenant)s, %(conversation)s, %(channel)s)
ON CONFLICT (tenant_id, conversation_id, channel) DO UPDATE SET last_ordinal = reply_conversation.last_ordinal
RETURNING last_ordinal
