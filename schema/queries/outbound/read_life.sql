-- Read in which epoch of its streams a tenant is. Takes tenant.
-- Returns stream_life; no row when there is no such tenant.
SELECT stream_life FROM tenant WHERE tenant_id = %(tenant)s
