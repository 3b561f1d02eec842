-- Note of a target how an attempt went. Takes tenant, target_id, has_failed, pause_seconds (0: none), disabled_reason (null:
-- it stays enabled).
UPDATE webhook_target
SET failing_since = CASE WHEN %(has_failed)s THEN coalesce(failing_since, clock_timestamp()) END,
    paused_until = CASE WHEN %(pause_seconds)s > 0
        THEN greatest(paused_until, clock_timestamp() + make_interval(secs => %(pause_seconds)s))
        ELSE paused_until END,
    disabled_at = CASE WHEN %(disabled_reason)s::text IS NOT NULL THEN coalesce(disabled_at, clock_timestamp())
        ELSE disabled_at END,
    disabled_reason = coalesce(disabled_reason, %(disabled_reason)s)
WHERE tenant_id = %(tenant)s AND target_id = %(target_id)s
    AND (%(pause_seconds)s > 0 OR %(disabled_reason)s::text IS NOT NULL
        OR %(has_failed)s IS DISTINCT FROM (failing_since IS NOT NULL))
