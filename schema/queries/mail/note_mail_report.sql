-- Note what a mail system reports about a reply that went out by e-mail. Takes tenant, account_id, reply_id, status (its kind), rank, code (of a
-- failure or complaint, on which a deliverer acts then; null: none), receipt (delivered | bounced; null: it stays as it was).
-- Returns reply_id; no row for a reply that is not known here. Keeps: a state only moves up, in whatever order reports come; a mail
-- whose answer was lost counts as taken from then on.
WITH known AS (
    SELECT p.tenant_id, p.reply_id, p.number, p.status_rank
    FROM reply_part p JOIN reply_delivery d USING (tenant_id, reply_id)
    WHERE p.tenant_id = %(tenant)s AND p.reply_id = %(reply_id)s AND d.account_id = %(account_id)s AND p.attempts > 0
    FOR NO KEY UPDATE OF p, d
), noted AS (
    UPDATE reply_part p
    SET status = %(status)s, status_rank = %(rank)s, status_code = %(code)s, status_at = clock_timestamp(),
        state = CASE WHEN p.state IN ('sending', 'unknown', 'ready') THEN 'accepted' ELSE p.state END
    FROM known k
    WHERE p.tenant_id = k.tenant_id AND p.reply_id = k.reply_id AND p.number = k.number AND %(rank)s > k.status_rank
    RETURNING p.reply_id
), received AS (
    UPDATE reply_delivery d
    SET receipt = %(receipt)s, receipt_code = %(code)s, receipt_at = clock_timestamp(), receipt_told_at = NULL
    FROM noted n
    WHERE d.tenant_id = %(tenant)s AND d.reply_id = n.reply_id AND %(receipt)s::text IS NOT NULL
)
SELECT DISTINCT reply_id FROM known
