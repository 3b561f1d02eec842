-- Remove old usage records of the transaction's tenant; the totals of their days stay. Takes older_than_days, rows_max.
-- Returns one row: how many went.
-- Keeps: of two workers that do it at once, each takes other rows. Touches at most rows_max of them, through usage_record_at.
WITH gone AS (
    DELETE FROM usage_record WHERE usage_record_id = ANY (ARRAY(
        SELECT u.usage_record_id FROM usage_record u
        WHERE u.tenant_id = current_setting('fte.tenant')
            AND u.at < now() - make_interval(days => %(older_than_days)s)
        LIMIT %(rows_max)s FOR UPDATE SKIP LOCKED))
    RETURNING 1)
SELECT count(*) AS removed FROM gone
