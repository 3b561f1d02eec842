-- List a tenant's targets. Takes tenant, target_id (null: all).
-- Returns each with its secrets (sealed) and how many deliveries wait and are dead.
SELECT t.*,
    (SELECT count(*) FROM webhook_delivery d
        WHERE d.tenant_id = t.tenant_id AND d.target_id = t.target_id AND d.state = 'waiting') AS waiting,
    (SELECT count(*) FROM webhook_delivery d
        WHERE d.tenant_id = t.tenant_id AND d.target_id = t.target_id AND d.state = 'dead') AS dead,
    CASE WHEN t.old_secret_until > clock_timestamp() THEN t.old_secret END AS valid_old_secret,
    clock_timestamp() AS now
FROM webhook_target t
WHERE t.tenant_id = %(tenant)s AND t.target_id = coalesce(%(target_id)s::text, t.target_id)
ORDER BY t.created_at, t.target_id
