-- Note that outbox rows are in their streams. Takes three equally long arrays: tenants, conversations, up to which
-- ordinal each conversation is published.
UPDATE outbox o SET published_at = clock_timestamp()
FROM unnest(%(tenants)s::text[], %(conversations)s::text[], %(ordinals)s::bigint[]) AS p (tenant_id, conversation_id, ordinal)
WHERE o.tenant_id = p.tenant_id AND o.conversation_id = p.conversation_id AND o.ordinal <= p.ordinal
    AND o.published_at IS NULL
