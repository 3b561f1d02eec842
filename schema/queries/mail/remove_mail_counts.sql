-- Remove the counts of mails, and the tokens of providers, that are past use. Takes older_than_days, rows_max. Returns one row: how many
-- went. Keeps: of two workers that do it at once, each takes other rows. Touches at most rows_max of each table.
WITH counts AS (
    DELETE FROM mail_count WHERE ctid = ANY (ARRAY(
        SELECT c.ctid FROM mail_count c
        WHERE c.hour < now() - %(older_than_days)s * interval '1 day'
        LIMIT %(rows_max)s FOR UPDATE SKIP LOCKED))
    RETURNING 1
), tokens AS (
    DELETE FROM mail_token WHERE ctid = ANY (ARRAY(
        SELECT t.ctid FROM mail_token t
        WHERE t.seen_at < now() - %(older_than_days)s * interval '1 day'
        LIMIT %(rows_max)s FOR UPDATE SKIP LOCKED))
    RETURNING 1
)
SELECT greatest((SELECT count(*) FROM counts), (SELECT count(*) FROM tokens)) AS removed
