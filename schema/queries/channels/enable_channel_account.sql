-- Enable an account that was stopped, without the pause that it had. Takes tenant, account_id. Returns it; no row for an unknown one.
UPDATE channel_account SET disabled_at = NULL, disabled_reason = NULL, paused_until = NULL
WHERE tenant_id = %(tenant)s AND account_id = %(account_id)s
RETURNING account_id
