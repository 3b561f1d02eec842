-- Enable a target that was disabled, without the pause that it had. Takes tenant, target_id. Returns it; no row for an unknown one.
UPDATE webhook_target
SET disabled_at = NULL, disabled_reason = NULL, paused_until = NULL, failing_since = NULL
WHERE tenant_id = %(tenant)s AND target_id = %(target_id)s
RETURNING target_id
