-- Remove a target with its deliveries. Takes tenant, target_id. Returns it; no row for an unknown one.
DELETE FROM webhook_target WHERE tenant_id = %(tenant)s AND target_id = %(target_id)s RETURNING target_id
