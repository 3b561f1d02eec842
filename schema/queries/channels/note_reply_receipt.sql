-- Note of a reply whether it has arrived, as its messages tell. Takes tenant, reply_id. Returns reply_id and receipt where that is new.
UPDATE reply_delivery d
SET receipt = s.receipt, receipt_code = s.code, receipt_at = clock_timestamp(), receipt_told_at = NULL
FROM (
    SELECT CASE
            WHEN bool_or(p.status IN ('undelivered', 'failed', 'canceled')) THEN 'failed'
            WHEN bool_and(p.status IN ('delivered', 'read')) THEN 'delivered'
        END AS receipt, max(p.status_code) AS code
    FROM reply_part p
    WHERE p.tenant_id = %(tenant)s AND p.reply_id = %(reply_id)s AND p.state <> 'held') s
WHERE d.tenant_id = %(tenant)s AND d.reply_id = %(reply_id)s AND s.receipt IS NOT NULL AND d.receipt IS DISTINCT FROM s.receipt
RETURNING d.reply_id, d.receipt
