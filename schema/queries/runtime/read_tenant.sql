-- Read whether a tenant is in service, and what it sets for itself. Takes tenant.
-- Returns one row: suspended_at, suspended_because, deleting_since, version and settings (0 and {}: none of its own), brand (the
-- release before changes it alone, so it stands above the settings'); or no row when there is no such tenant.
SELECT t.suspended_at, t.suspended_because, t.deleting_since, t.brand, coalesce(s.version, 0) AS version,
    coalesce(s.settings, '{}') AS settings
FROM tenant t
LEFT JOIN LATERAL (
    SELECT version, settings FROM tenant_settings
    WHERE tenant_id = t.tenant_id ORDER BY version DESC LIMIT 1) s ON true
WHERE t.tenant_id = %(tenant)s
