-- Add to the receipt of a tenant's deletion. Takes tenant, table_name and rows (null: none), stream and entries (null: none), keys.
UPDATE deleted_tenant
SET rows_removed = CASE WHEN %(table_name)s::text IS NULL THEN rows_removed ELSE rows_removed
        || jsonb_build_object(%(table_name)s::text, coalesce((rows_removed ->> %(table_name)s::text)::bigint, 0) + %(rows)s::bigint) END,
    entries_removed = CASE WHEN %(stream)s::text IS NULL THEN entries_removed ELSE entries_removed
        || jsonb_build_object(%(stream)s::text, coalesce((entries_removed ->> %(stream)s::text)::bigint, 0) + %(entries)s::bigint) END,
    keys_removed = keys_removed + %(keys)s
WHERE tenant_id = %(tenant)s
