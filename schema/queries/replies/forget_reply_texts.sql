-- Forget what replies were sent as, once it is of no more use. Takes channel, older_than_seconds, rows_max. Returns one row: how many parts.
-- Keeps: what is dead, for it may be redriven; what waits.
WITH done AS (
    UPDATE reply_part SET content = NULL WHERE (tenant_id, reply_id, number) IN (
        SELECT p.tenant_id, p.reply_id, p.number
        FROM reply_delivery d JOIN reply_part p USING (tenant_id, reply_id)
        WHERE d.channel = %(channel)s AND d.state IN ('sent', 'suppressed', 'withheld') AND p.content IS NOT NULL
            AND d.finished_at < clock_timestamp() - make_interval(secs => %(older_than_seconds)s)
        ORDER BY d.finished_at LIMIT %(rows_max)s FOR UPDATE OF p SKIP LOCKED)
    RETURNING 1)
SELECT count(*) AS forgotten FROM done
