-- Remove what is known of mails so old that an answer to one begins a new conversation. Takes older_than_days, rows_max. Returns one row: how
-- many went. Keeps: of two workers that do it at once, each takes other rows.
WITH gone AS (
    DELETE FROM mail_message WHERE ctid = ANY (ARRAY(
        SELECT m.ctid FROM mail_message m
        WHERE m.seen_at < now() - %(older_than_days)s * interval '1 day'
        LIMIT %(rows_max)s FOR UPDATE SKIP LOCKED))
    RETURNING 1)
SELECT count(*) AS removed FROM gone
