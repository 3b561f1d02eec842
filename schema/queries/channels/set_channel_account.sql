-- Replace the settings and the secrets of an account. Takes tenant, account_id, settings (JSON), secrets (sealed), overlap_seconds (how
-- long the secrets before hold beside them; 0: not at all, and what held until now goes on as it was).
-- Returns old_secrets_until; no row for an unknown account.
UPDATE channel_account
SET settings = %(settings)s, secrets = %(secrets)s,
    old_secrets = CASE WHEN %(overlap_seconds)s > 0 THEN secrets ELSE old_secrets END,
    old_secrets_until = CASE WHEN %(overlap_seconds)s > 0
        THEN clock_timestamp() + make_interval(secs => %(overlap_seconds)s) ELSE old_secrets_until END
WHERE tenant_id = %(tenant)s AND account_id = %(account_id)s
RETURNING account_id, old_secrets_until
