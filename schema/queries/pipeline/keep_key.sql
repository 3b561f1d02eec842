-- Keep the key that a turn made for its conversation. Takes tenant, conversation, sealed_key.
-- Keeps: one key for each conversation; a turn that made another is fenced (FT001).
SELECT keep_conversation_key(%(tenant)s, %(conversation)s, %(sealed_key)s)
