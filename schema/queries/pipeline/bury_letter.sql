-- Keep a message that cannot be answered, whole and sealed. Takes tenant, conversation, message_id or null, entry (the
-- number of a stray entry, else null), reason, attempts, payload.
-- Keeps: a stray entry is kept once.
INSERT INTO dead_letter (tenant_id, conversation_id, message_id, entry, reason, attempts, payload)
VALUES (%(tenant)s, %(conversation)s, %(message_id)s, %(entry)s, %(reason)s, %(attempts)s, %(payload)s)
ON CONFLICT (tenant_id, conversation_id, entry) WHERE entry IS NOT NULL DO NOTHING
