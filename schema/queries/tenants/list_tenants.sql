-- List tenants by name. Returns tenant_id, brand, created_at, suspended_at, deleting_since, version (of the settings; 0: none), keys (API
-- keys that may be used now).
SELECT t.tenant_id, t.brand, t.created_at, t.suspended_at, t.deleting_since,
    coalesce((SELECT max(s.version) FROM tenant_settings s WHERE s.tenant_id = t.tenant_id), 0) AS version,
    (SELECT count(*) FROM api_key k WHERE k.tenant_id = t.tenant_id
        AND coalesce(least(k.revoked_at, k.expires_at), 'infinity') > now()) AS keys
FROM tenant t
ORDER BY t.tenant_id
