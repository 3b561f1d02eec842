-- Settle a delivery after an attempt. Takes tenant, target_id, event_id, attempt, state, after_seconds (until the next
-- attempt, where it still waits).
-- Keeps: a delivery that another process has claimed meanwhile, or that is done, stays as it is; but an answer that took
-- it counts whenever it comes.
UPDATE webhook_delivery
SET state = %(state)s, finished_at = CASE WHEN %(state)s <> 'waiting' THEN clock_timestamp() END,
    next_at = CASE WHEN %(state)s = 'waiting' THEN clock_timestamp() + make_interval(secs => %(after_seconds)s) END
WHERE tenant_id = %(tenant)s AND target_id = %(target_id)s AND event_id = %(event_id)s AND state = 'waiting'
    AND (attempts = %(attempt)s OR %(state)s = 'delivered')
