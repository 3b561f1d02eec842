-- Take back that outbox rows are published: Redis lost them. Takes tenant and two equally long arrays: conversations,
-- ordinals. What is unpublished is published anew, in order.
UPDATE outbox o SET published_at = NULL, stream_position = NULL
FROM unnest(%(conversations)s::text[], %(ordinals)s::bigint[]) AS p (conversation_id, ordinal)
WHERE o.tenant_id = %(tenant)s AND o.conversation_id = p.conversation_id AND o.ordinal = p.ordinal
