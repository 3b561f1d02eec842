-- Look through a page of a tenant's conversations for their people, and note how far that went. Takes tenant, after, conversations_max.
-- Returns read_to; null: it was the last page.
WITH page AS (SELECT backfill_people(%(tenant)s, %(after)s, %(conversations_max)s) AS read_to)
INSERT INTO person_backfill (tenant_id, read_to, finished_at)
SELECT %(tenant)s, coalesce(page.read_to, %(after)s), CASE WHEN page.read_to IS NULL THEN clock_timestamp() END FROM page
ON CONFLICT (tenant_id) DO UPDATE SET read_to = excluded.read_to, finished_at = excluded.finished_at
RETURNING CASE WHEN finished_at IS NULL THEN read_to END AS read_to
