-- Add a tenant. Takes tenant. Returns tenant_id; or no row where there is one of that name, or was one that was deleted.
INSERT INTO tenant (tenant_id)
SELECT %(tenant)s WHERE NOT EXISTS (SELECT FROM deleted_tenant WHERE tenant_id = %(tenant)s)
ON CONFLICT DO NOTHING
RETURNING tenant_id
