-- Find what of one conversation is to be published. Takes tenant, conversation, rows_max.
-- Returns its oldest unpublished outbox rows in order, with the tenant's stream_life.
SELECT o.tenant_id, o.conversation_id, o.ordinal, o.kind, o.channel, o.entry_id, o.sequence,
    with_key(o.tenant_id, o.conversation_id, o.body) AS body, t.stream_life
FROM outbox o JOIN tenant t USING (tenant_id)
WHERE o.tenant_id = %(tenant)s AND o.conversation_id = %(conversation)s AND o.published_at IS NULL
ORDER BY o.ordinal
LIMIT %(rows_max)s
