-- Put an event into the outbox; rescue publishes it. Takes tenant, conversation, ordinal (of take_ordinal, in the same
-- transaction), entry_id, sequence, body (sealed).
INSERT INTO outbox (tenant_id, conversation_id, ordinal, kind, entry_id, sequence, body)
VALUES (%(tenant)s, %(conversation)s, %(ordinal)s, 'event', %(entry_id)s, %(sequence)s, %(body)s)
