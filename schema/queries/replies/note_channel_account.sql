-- Note of an account what a provider said. Takes tenant, account_id, pause_seconds (0: none), disabled_reason (null: it stays in service).
UPDATE channel_account
SET paused_until = CASE WHEN %(pause_seconds)s > 0
        THEN greatest(paused_until, clock_timestamp() + make_interval(secs => %(pause_seconds)s)) ELSE paused_until END,
    disabled_at = CASE WHEN %(disabled_reason)s::text IS NOT NULL THEN coalesce(disabled_at, clock_timestamp()) ELSE disabled_at END,
    disabled_reason = coalesce(disabled_reason, %(disabled_reason)s)
WHERE tenant_id = %(tenant)s AND account_id = %(account_id)s
    AND (%(pause_seconds)s > 0 OR %(disabled_reason)s::text IS NOT NULL)
