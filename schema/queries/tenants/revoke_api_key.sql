-- Revoke an API key, now or at a later time that ends a rotation's overlap. Takes tenant (null: an operator's), key_id, at, by,
-- replaced_by or null. Returns key_id, revoked_at; or no row where the tenant has no such key.
-- Keeps: an earlier revocation stands.
UPDATE api_key
SET revoked_by = CASE WHEN revoked_at <= %(at)s THEN revoked_by ELSE %(by)s END,
    revoked_at = least(revoked_at, %(at)s), replaced_by = coalesce(%(replaced_by)s, replaced_by)
WHERE tenant_id IS NOT DISTINCT FROM %(tenant)s AND key_id = %(key_id)s
RETURNING key_id, revoked_at
