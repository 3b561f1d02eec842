-- Release the next batch of a reply whose customer asked for more, to be sent. Takes tenant, reply_id. The caller holds the
-- conversation's row of reply_conversation, and calls free_replies. Keeps: what is still under way of the batch before goes first.
WITH released AS (
    UPDATE reply_part p SET state = 'ready'
    WHERE p.tenant_id = %(tenant)s AND p.reply_id = %(reply_id)s AND p.state = 'held'
        AND p.batch = (SELECT min(q.batch) FROM reply_part q
            WHERE q.tenant_id = %(tenant)s AND q.reply_id = %(reply_id)s AND q.state = 'held')
    RETURNING p.reply_id
)
UPDATE reply_delivery d
SET state = 'waiting', tries = 0, next_at = NULL, finished_at = NULL, queued_at = clock_timestamp(), receipt = NULL, receipt_code = NULL,
    receipt_at = NULL
WHERE d.tenant_id = %(tenant)s AND d.reply_id = %(reply_id)s AND d.state = 'sent' AND EXISTS (SELECT FROM released)
