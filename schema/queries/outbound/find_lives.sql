-- Find in which epoch of its streams each tenant is. Takes nothing.
-- Returns tenant_id, stream_life.
SELECT tenant_id, stream_life FROM tenant ORDER BY tenant_id
