-- Remove old events with their deliveries and attempts. Takes older_than_days, rows_max. Returns one row: how many went.
-- Keeps: an event that waits for a target; of two processes that do it at once, each takes other rows.
WITH gone AS (
    DELETE FROM webhook_event WHERE (tenant_id, event_id) IN (
        SELECT e.tenant_id, e.event_id FROM webhook_event e
        WHERE e.created_at < now() - make_interval(days => %(older_than_days)s)
            AND NOT EXISTS (SELECT FROM webhook_delivery d
                WHERE d.tenant_id = e.tenant_id AND d.event_id = e.event_id AND d.state = 'waiting')
        ORDER BY e.created_at LIMIT %(rows_max)s FOR UPDATE SKIP LOCKED)
    RETURNING 1)
SELECT count(*) AS removed FROM gone
