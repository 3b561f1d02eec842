-- Erase what a conversation's published outbox rows say, and leave the rows. Takes tenant, conversation.
-- Returns one row: how many rows were erased now, and how many are not published yet (which stay as they are).
-- Keeps: ordinals and sequences without gaps; an erased row is not published again, whatever Redis loses.
WITH erased AS (
    UPDATE outbox SET body = ''
    WHERE tenant_id = %(tenant)s AND conversation_id = %(conversation)s AND published_at IS NOT NULL AND body <> ''
    RETURNING ordinal)
SELECT (SELECT count(*) FROM erased)::bigint AS erased,
    (SELECT count(*) FROM outbox
        WHERE tenant_id = %(tenant)s AND conversation_id = %(conversation)s AND published_at IS NULL)::bigint AS unpublished
