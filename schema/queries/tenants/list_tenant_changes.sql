-- List the changes of a tenant's settings, newest first. Takes tenant, changes_max.
-- Returns version, settings, changed_at, changed_by, reason, restores (an undo: the version whose settings these are).
SELECT version, settings, changed_at, changed_by, reason, restores
FROM tenant_settings
WHERE tenant_id = %(tenant)s
ORDER BY version DESC
LIMIT %(changes_max)s
