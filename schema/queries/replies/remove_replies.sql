-- Remove deliveries that ended long ago, with their parts and attempts. Takes channel, older_than_days, rows_max. Returns one row: how many went.
-- Keeps: of two processes that do it at once, each takes other rows.
WITH gone AS (
    DELETE FROM reply_delivery WHERE (tenant_id, reply_id) IN (
        SELECT d.tenant_id, d.reply_id FROM reply_delivery d
        WHERE d.channel = %(channel)s AND d.finished_at < now() - make_interval(days => %(older_than_days)s)
        ORDER BY d.finished_at LIMIT %(rows_max)s FOR UPDATE SKIP LOCKED)
    RETURNING 1)
SELECT count(*) AS removed FROM gone
