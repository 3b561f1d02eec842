-- Open a ticket for human agents. Takes tenant, ticket_id, conversation, category, priority, answer_by, sender_key.
-- Keeps: the same ticket is opened once.
INSERT INTO ticket (tenant_id, ticket_id, conversation_id, category, priority, answer_by, sender_key)
VALUES (%(tenant)s, %(ticket_id)s, %(conversation)s, %(category)s, %(priority)s, %(answer_by)s, %(sender_key)s)
ON CONFLICT (tenant_id, ticket_id) DO NOTHING
