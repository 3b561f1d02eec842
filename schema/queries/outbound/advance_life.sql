-- Begin the next epoch of a tenant's streams. Takes tenant, life: the one to follow, or null for whichever it is in.
-- Returns the new stream_life; no row when the tenant is in another epoch by now.
UPDATE tenant SET stream_life = stream_life + 1
WHERE tenant_id = %(tenant)s AND (%(life)s::bigint IS NULL OR stream_life = %(life)s)
RETURNING stream_life
