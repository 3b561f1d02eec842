-- Queue deliveries of a target anew. Takes tenant, target_id, event_ids (array; null: by the other two), dead_only, since (of
-- the event). Returns the conversations, each once for every delivery. The caller calls free_webhooks for each of them.
-- Keeps: what waits is not touched; an event that the target missed while it was disabled gets a delivery.
WITH chosen AS (
    SELECT e.tenant_id, e.event_id, e.conversation_id, e.sequence
    FROM webhook_event e
    JOIN webhook_target t ON t.tenant_id = e.tenant_id AND t.target_id = %(target_id)s
        AND (t.event_types = '{}' OR e.type = ANY (t.event_types))
    LEFT JOIN webhook_delivery d ON d.tenant_id = e.tenant_id AND d.event_id = e.event_id AND d.target_id = t.target_id
    WHERE e.tenant_id = %(tenant)s AND e.created_at >= %(since)s
        AND (%(event_ids)s::text[] IS NULL OR e.event_id = ANY (%(event_ids)s::text[]))
        AND (NOT %(dead_only)s OR d.state = 'dead')
)
INSERT INTO webhook_delivery AS d (tenant_id, target_id, event_id, conversation_id, sequence)
    SELECT c.tenant_id, %(target_id)s, c.event_id, c.conversation_id, c.sequence FROM chosen c
ON CONFLICT (tenant_id, target_id, event_id) DO UPDATE
    SET state = 'waiting', tries = 0, finished_at = NULL, next_at = NULL, queued_at = clock_timestamp()
    WHERE d.state <> 'waiting'
RETURNING d.conversation_id
