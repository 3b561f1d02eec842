-- Remove the counts of guesses of days gone by. Takes older_than_days, rows_max. Returns one row: how many went.
-- Keeps: of two workers that do it at once, each takes other rows. Touches at most rows_max of them.
WITH gone AS (
    DELETE FROM guess WHERE ctid = ANY (ARRAY(
        SELECT g.ctid FROM guess g
        WHERE g.day < (now() AT TIME ZONE 'UTC')::date - %(older_than_days)s::integer
        LIMIT %(rows_max)s FOR UPDATE SKIP LOCKED))
    RETURNING 1)
SELECT count(*) AS removed FROM gone
