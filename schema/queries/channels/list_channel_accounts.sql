-- List a tenant's accounts. Takes tenant, account_id (null: all), channel (null: all).
-- Returns each with its secrets (sealed) and how many replies wait and are dead; old_secrets only while they hold.
SELECT a.tenant_id, a.account_id, a.channel, a.settings, a.secrets, a.created_at, a.paused_until, a.disabled_at, a.disabled_reason,
    CASE WHEN a.old_secrets_until > clock_timestamp() THEN a.old_secrets END AS old_secrets, a.old_secrets_until,
    (SELECT count(*) FROM reply_delivery d
        WHERE d.tenant_id = a.tenant_id AND d.account_id = a.account_id AND d.state = 'waiting') AS waiting,
    (SELECT count(*) FROM reply_delivery d
        WHERE d.tenant_id = a.tenant_id AND d.account_id = a.account_id AND d.state = 'dead') AS dead
FROM channel_account a
WHERE a.tenant_id = %(tenant)s AND a.account_id = coalesce(%(account_id)s::text, a.account_id)
    AND a.channel = coalesce(%(channel)s::text, a.channel)
ORDER BY a.created_at, a.account_id
