-- Note that something was done on a message that was reported as not delivered. Takes tenant, reply_id, part, attempt, is_repeated (it is to
-- be sent again). Returns reply_id; no row where another process was quicker.
UPDATE reply_part
SET failure_seen_at = CASE WHEN %(is_repeated)s THEN NULL ELSE clock_timestamp() END,
    state = CASE WHEN %(is_repeated)s THEN 'ready' ELSE 'failed' END,
    provider_id = CASE WHEN %(is_repeated)s THEN NULL ELSE provider_id END,
    status = CASE WHEN %(is_repeated)s THEN NULL ELSE status END,
    status_rank = CASE WHEN %(is_repeated)s THEN 0 ELSE status_rank END,
    status_code = CASE WHEN %(is_repeated)s THEN NULL ELSE status_code END
WHERE tenant_id = %(tenant)s AND reply_id = %(reply_id)s AND number = %(part)s AND attempts = %(attempt)s
    AND status_code IS NOT NULL AND failure_seen_at IS NULL
RETURNING reply_id
