-- Keep a message that cannot be answered, whole and sealed. Takes tenant, conversation, message_id or null, reason,
-- attempts, payload.
INSERT INTO dead_letter (tenant_id, conversation_id, message_id, reason, attempts, payload)
VALUES (%(tenant)s, %(conversation)s, %(message_id)s, %(reason)s, %(attempts)s, %(payload)s)
