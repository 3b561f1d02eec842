-- Find the tenants that have targets. Returns their ids.
SELECT DISTINCT tenant_id FROM webhook_target ORDER BY tenant_id
