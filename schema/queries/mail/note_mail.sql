-- Note what is known of a mail of a conversation, once. Takes tenant, message_id (the inbox's, or the reply's), conversation, direction (in |
-- out), reference (of the conversation in tokens), id_hash (SHA-256 of its Message-ID without brackets; null: none), head (sealed; null: none).
INSERT INTO mail_message (tenant_id, message_id, conversation_id, direction, reference, id_hash, head)
VALUES (%(tenant)s, %(message_id)s, %(conversation)s, %(direction)s, %(reference)s, %(id_hash)s, %(head)s)
ON CONFLICT DO NOTHING
