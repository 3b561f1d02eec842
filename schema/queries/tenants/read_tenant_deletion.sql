-- Read the receipt of a tenant's deletion. Takes tenant. Returns one row: tenant_id, requested_by, requested_at, finished_at (null: not yet),
-- rows_removed (table -> rows), entries_removed (stream -> entries), keys_removed (of Redis, besides the streams); or none.
SELECT tenant_id, requested_by, requested_at, finished_at, rows_removed, entries_removed, keys_removed
FROM deleted_tenant WHERE tenant_id = %(tenant)s
