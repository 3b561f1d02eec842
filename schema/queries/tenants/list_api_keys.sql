-- List API keys, oldest first. Takes tenant (null: operators' own) and key_id (null: all of them).
-- Returns key_id, tenant_id, label, person, scopes, addresses, created_at, created_by, expires_at, revoked_at, revoked_by,
-- replaced_by, last_used_at (the hour). Keeps: no hash leaves the database by it.
SELECT key_id, tenant_id, label, person, scopes, addresses::text[] AS addresses, created_at, created_by, expires_at, revoked_at,
    revoked_by, replaced_by, last_used_at
FROM api_key
WHERE tenant_id IS NOT DISTINCT FROM %(tenant)s AND (%(key_id)s::text IS NULL OR key_id = %(key_id)s)
ORDER BY created_at, key_id
