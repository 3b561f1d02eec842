-- Queue dead deliveries anew. Takes tenant, account_id, reply_ids (array; null: all that are dead). Returns conversation_id and channel, each
-- once for every delivery; the caller calls free_replies for each. Keeps: parts that the provider took are not sent again.
WITH chosen AS (
    UPDATE reply_delivery d
    SET state = 'waiting', tries = 0, finished_at = NULL, next_at = NULL, queued_at = clock_timestamp(), reason = NULL, receipt = NULL,
        receipt_code = NULL, receipt_at = NULL, receipt_told_at = NULL
    WHERE d.tenant_id = %(tenant)s AND d.account_id = %(account_id)s AND d.state = 'dead'
        AND (%(reply_ids)s::text[] IS NULL OR d.reply_id = ANY (%(reply_ids)s::text[]))
    RETURNING d.tenant_id, d.reply_id, d.conversation_id, d.channel
), renewed AS (
    UPDATE reply_part p SET state = 'ready', status = NULL, status_rank = 0, status_code = NULL, status_at = NULL
    FROM chosen c WHERE p.tenant_id = c.tenant_id AND p.reply_id = c.reply_id AND p.state = 'failed'
)
SELECT conversation_id, channel FROM chosen
