-- Remove what is kept under a person's key besides conversations. Takes tenant, person_key. Returns removed.
-- Keeps: which conversations are theirs that were left, because they are held or others wrote in them.
DELETE FROM guess WHERE tenant_id = %(tenant)s AND subject = %(person_key)s RETURNING 1 AS removed
