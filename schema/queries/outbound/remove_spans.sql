-- Remove old spans. Takes older_than_days, rows_max. Returns one row: how many went.
-- Keeps: of two workers that do it at once, each takes other rows. Touches at most rows_max of them.
WITH gone AS (
    DELETE FROM span WHERE ctid = ANY (ARRAY(
        SELECT s.ctid FROM span s
        WHERE s.started_at < now() - make_interval(days => %(older_than_days)s)
        LIMIT %(rows_max)s FOR UPDATE SKIP LOCKED))
    RETURNING 1)
SELECT count(*) AS removed FROM gone
