-- Give a target a new secret; the one before signs beside it for a while. Takes tenant, target_id, secret (sealed),
-- overlap_seconds. Returns old_secret_until; no row for an unknown target.
UPDATE webhook_target
SET secret = %(secret)s, old_secret = secret,
    old_secret_until = clock_timestamp() + make_interval(secs => %(overlap_seconds)s)
WHERE tenant_id = %(tenant)s AND target_id = %(target_id)s
RETURNING old_secret_until
