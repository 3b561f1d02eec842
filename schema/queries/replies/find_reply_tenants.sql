-- Find the tenants that have an account of a channel. Takes channel. Returns tenant_id.
SELECT DISTINCT tenant_id FROM channel_account WHERE channel = %(channel)s ORDER BY tenant_id
