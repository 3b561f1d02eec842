-- Note up to where a conversation's replies on a channel were taken up. Takes tenant, conversation, channel, last_ordinal.
UPDATE reply_conversation SET last_ordinal = %(last_ordinal)s
WHERE tenant_id = %(tenant)s AND conversation_id = %(conversation)s AND channel = %(channel)s
