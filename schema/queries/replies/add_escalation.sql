-- Put a ticket into the outbox; rescue publishes it. Takes tenant, conversation, ordinal (of take_ticket_place, in the same transaction),
-- entry_id (the ticket's), sequence, body (sealed).
INSERT INTO outbox (tenant_id, conversation_id, ordinal, kind, entry_id, sequence, body)
VALUES (%(tenant)s, %(conversation)s, %(ordinal)s, 'escalation', %(entry_id)s, %(sequence)s, %(body)s)
