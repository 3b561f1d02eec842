-- Note that outbox rows are in their streams, and where. Takes five equally long arrays: tenants, conversations, ordinals,
-- positions, and in which epoch of the tenant's streams each was published.
-- Keeps: a note from an earlier epoch is void, for Redis may have lost what it tells of; while an epoch begins, notes wait.
WITH alive AS (
    SELECT tenant_id, stream_life FROM tenant WHERE tenant_id = ANY (%(tenants)s::text[]) ORDER BY tenant_id FOR SHARE)
UPDATE outbox o SET published_at = clock_timestamp(), stream_position = p.position
FROM unnest(%(tenants)s::text[], %(conversations)s::text[], %(ordinals)s::bigint[], %(positions)s::bigint[], %(lives)s::bigint[])
        AS p (tenant_id, conversation_id, ordinal, position, life)
    JOIN alive a ON a.tenant_id = p.tenant_id AND a.stream_life = p.life
WHERE o.tenant_id = p.tenant_id AND o.conversation_id = p.conversation_id AND o.ordinal = p.ordinal AND o.published_at IS NULL
