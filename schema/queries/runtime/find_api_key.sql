-- Find one API key by its exact id. Takes key_id, key_hash (SHA-256 of the whole key).
-- Returns one row: refused_because (wrong | revoked | expired; null: it may be used), of_tenant (null: an operator's), may (its scopes),
-- as_person, from_addresses (empty: any), until, proof (by which an HTTP process speaks for the tenant); or no row: unknown.
-- Keeps: nothing of a key that may not be used leaves the database; when a key was last used, to the hour.
SELECT refused_because, of_tenant, may, as_person, from_addresses, until, proof
FROM find_api_key(%(key_id)s, %(key_hash)s)
