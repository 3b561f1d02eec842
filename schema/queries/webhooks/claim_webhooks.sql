-- Claim deliveries that are due and record an attempt of each, before anything is sent. Takes busy (ids of targets that
-- have enough under way), each_max (of one target), deliveries_max, hold_seconds.
-- Returns tenant_id, target_id, event_id, conversation_id, attempts (the number of this one), tries, url, body, type,
-- secret, old_secret (null: gone), queued_at, failing_since, now.
-- Keeps: a claim that is not settled within hold_seconds is due again: its process died.
WITH due AS (
    SELECT d.tenant_id, d.target_id, d.event_id
    FROM webhook_target t
    CROSS JOIN LATERAL (
        SELECT w.tenant_id, w.target_id, w.event_id, w.next_at FROM webhook_delivery w
        WHERE w.tenant_id = t.tenant_id AND w.target_id = t.target_id AND w.next_at <= clock_timestamp()
        ORDER BY w.next_at LIMIT %(each_max)s
        FOR NO KEY UPDATE SKIP LOCKED) d
    WHERE t.disabled_at IS NULL AND (t.paused_until IS NULL OR t.paused_until <= clock_timestamp())
        AND t.target_id <> ALL (%(busy)s::text[])
    ORDER BY d.next_at LIMIT %(deliveries_max)s
), claimed AS (
    UPDATE webhook_delivery d
    SET attempts = d.attempts + 1, tries = d.tries + 1,
        next_at = clock_timestamp() + make_interval(secs => %(hold_seconds)s)
    FROM due
    WHERE d.tenant_id = due.tenant_id AND d.target_id = due.target_id AND d.event_id = due.event_id
    RETURNING d.tenant_id, d.target_id, d.event_id, d.conversation_id, d.attempts, d.tries, d.queued_at
), begun AS (
    INSERT INTO webhook_attempt (tenant_id, target_id, event_id, number)
        SELECT tenant_id, target_id, event_id, attempts FROM claimed
)
SELECT c.*, t.url, t.secret, CASE WHEN t.old_secret_until > clock_timestamp() THEN t.old_secret END AS old_secret,
    t.failing_since, e.type, e.body, clock_timestamp() AS now
FROM claimed c
JOIN webhook_target t USING (tenant_id, target_id)
JOIN webhook_event e USING (tenant_id, event_id)
