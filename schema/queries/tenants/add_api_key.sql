-- Add an API key. Takes key_id, tenant (null: an operator's), key_hash, label, person or null, scopes, addresses (arrays), by,
-- expires_at or null. Returns the row as list_api_keys does. Keeps: the key itself is in no statement and in no table.
INSERT INTO api_key (key_id, tenant_id, key_hash, label, person, scopes, addresses, created_by, expires_at)
VALUES (%(key_id)s, %(tenant)s, %(key_hash)s, %(label)s, %(person)s, %(scopes)s, %(addresses)s::text[]::cidr[], %(by)s,
    %(expires_at)s)
RETURNING key_id, tenant_id, label, person, scopes, addresses::text[] AS addresses, created_at, created_by, expires_at, revoked_at,
    revoked_by, replaced_by, last_used_at
