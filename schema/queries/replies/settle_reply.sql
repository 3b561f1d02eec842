-- Settle a delivery after a claim. Takes tenant, reply_id, claim, state, reason, has_failed (an attempt failed), after_seconds (until it is due
-- again, where it waits), code (the provider's error). Keeps: a delivery that another process has claimed meanwhile, or that is done, stays as it is.
UPDATE reply_delivery
SET state = %(state)s, reason = %(reason)s, tries = CASE WHEN %(has_failed)s THEN tries + 1 ELSE 0 END,
    finished_at = CASE WHEN %(state)s <> 'waiting' THEN clock_timestamp() END,
    receipt = CASE WHEN %(state)s IN ('dead', 'suppressed') THEN 'failed' ELSE receipt END,
    receipt_code = CASE WHEN %(state)s IN ('dead', 'suppressed') THEN %(code)s ELSE receipt_code END,
    receipt_at = CASE WHEN %(state)s IN ('dead', 'suppressed') THEN clock_timestamp() ELSE receipt_at END,
    next_at = CASE WHEN %(state)s = 'waiting' THEN clock_timestamp() + make_interval(secs => %(after_seconds)s) END
WHERE tenant_id = %(tenant)s AND reply_id = %(reply_id)s AND claims = %(claim)s AND state = 'waiting'
