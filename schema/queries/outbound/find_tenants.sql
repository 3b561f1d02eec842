-- Find all tenants. Returns their ids.
SELECT tenant_id FROM tenant ORDER BY tenant_id
