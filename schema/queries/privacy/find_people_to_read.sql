-- Find tenants whose conversations of before were not all looked through for their people. Returns tenant_id, read_to ('' at first).
SELECT t.tenant_id, coalesce(b.read_to, '') AS read_to
FROM tenant t LEFT JOIN person_backfill b USING (tenant_id)
WHERE b.finished_at IS NULL
ORDER BY t.tenant_id
