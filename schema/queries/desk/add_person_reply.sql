-- Put a person's reply into the outbox; rescue publishes it. Takes tenant, conversation, ordinal and sequence (of take_reply_place,
-- in the same transaction), channel, entry_id, body (sealed), by_person.
INSERT INTO outbox (tenant_id, conversation_id, ordinal, kind, channel, entry_id, sequence, body, by_person)
VALUES (%(tenant)s, %(conversation)s, %(ordinal)s, 'reply', %(channel)s, %(entry_id)s, %(sequence)s, %(body)s, %(by_person)s)
