-- Find how far a tenant's streams are collected. Takes tenant.
-- Returns kind, channel ('' for none), position.
SELECT kind, channel, position FROM collected_stream WHERE tenant_id = %(tenant)s
