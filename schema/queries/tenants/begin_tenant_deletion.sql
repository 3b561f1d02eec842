-- Begin to delete a suspended tenant, or go on. Takes tenant, by. Returns tenant_id; or no row where it is unknown or in service.
-- Keeps: from now on it cannot be resumed.
WITH begun AS (
    UPDATE tenant SET deleting_since = coalesce(deleting_since, clock_timestamp())
    WHERE tenant_id = %(tenant)s AND suspended_at IS NOT NULL
    RETURNING tenant_id)
INSERT INTO deleted_tenant (tenant_id, requested_by) SELECT tenant_id, %(by)s FROM begun
ON CONFLICT (tenant_id) DO UPDATE SET requested_by = deleted_tenant.requested_by
RETURNING tenant_id
