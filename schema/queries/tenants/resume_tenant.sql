-- Put a suspended tenant back into service. Takes tenant. Returns deleting_since (not null: it is being deleted, and stays suspended);
-- or no row where there is no such tenant.
UPDATE tenant
SET suspended_at = CASE WHEN deleting_since IS NOT NULL THEN suspended_at END,
    suspended_by = CASE WHEN deleting_since IS NOT NULL THEN suspended_by END,
    suspended_because = CASE WHEN deleting_since IS NOT NULL THEN suspended_because END
WHERE tenant_id = %(tenant)s
RETURNING deleting_since
