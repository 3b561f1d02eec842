-- List deliveries with their attempts, newest first. Takes tenant; target_id, event_id, state (null: any); rows_max.
-- Returns a row for each attempt, and one for a delivery without any: number, begun_at, ended_at, outcome, status are null.
SELECT d.target_id, d.event_id, e.type, d.conversation_id, d.sequence, d.state, d.next_at, d.finished_at, d.queued_at,
    a.number, a.begun_at, a.ended_at, a.outcome, a.status
FROM webhook_delivery d
JOIN webhook_event e USING (tenant_id, event_id)
LEFT JOIN webhook_attempt a USING (tenant_id, target_id, event_id)
WHERE d.tenant_id = %(tenant)s AND d.target_id = coalesce(%(target_id)s::text, d.target_id)
    AND d.event_id = coalesce(%(event_id)s::text, d.event_id) AND d.state = coalesce(%(state)s::text, d.state)
ORDER BY coalesce(a.begun_at, d.queued_at) DESC, d.event_id, a.number DESC
LIMIT %(rows_max)s
