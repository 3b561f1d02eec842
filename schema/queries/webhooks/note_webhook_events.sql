-- Note up to where a conversation was turned into webhook events. Takes tenant, conversation, last_ordinal, last_episode,
-- last_sequence.
UPDATE webhook_conversation
SET last_ordinal = %(last_ordinal)s, last_episode = %(last_episode)s, last_sequence = %(last_sequence)s
WHERE tenant_id = %(tenant)s AND conversation_id = %(conversation)s
