-- Keep replies of the bot from leaving. Takes tenant, conversation, ordinals. Returns their sequences.
-- Keeps: they count as published and stand nowhere in a stream, so nothing publishes or restores them, in this release and the one before.
UPDATE outbox
SET withdrawn_at = clock_timestamp(), published_at = coalesce(published_at, clock_timestamp()), stream_position = NULL
WHERE tenant_id = %(tenant)s AND conversation_id = %(conversation)s AND ordinal = ANY (%(ordinals)s)
    AND kind = 'reply' AND by_person IS NULL
RETURNING sequence
