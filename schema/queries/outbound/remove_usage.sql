-- Remove old usage records; the totals of their days stay. Takes older_than_days, rows_max. Returns one row: how many went.
-- Keeps: of two workers that do it at once, each takes other rows. Touches at most rows_max of them, the lowest ids,
-- which are the oldest: no index by time over all tenants is needed.
WITH gone AS (
    DELETE FROM usage_record WHERE usage_record_id = ANY (ARRAY(
        SELECT u.usage_record_id FROM (
            SELECT usage_record_id, at FROM usage_record
            ORDER BY usage_record_id LIMIT %(rows_max)s FOR UPDATE SKIP LOCKED) u
        WHERE u.at < now() - make_interval(days => %(older_than_days)s)))
    RETURNING 1)
SELECT count(*) AS removed FROM gone
