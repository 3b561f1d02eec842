-- Find replies of which it became known whether they arrived, and that were not turned into webhook events. Takes tenant, conversation,
-- rows_max. Returns reply_id, channel, receipt (delivered, failed, bounced), receipt_code, receipt_at, in order; none from before the
-- tenant's first target was added.
SELECT d.reply_id, d.channel, d.receipt, d.receipt_code, d.receipt_at
FROM reply_delivery d
WHERE d.tenant_id = %(tenant)s AND d.conversation_id = %(conversation)s AND d.receipt IS NOT NULL AND d.receipt_told_at IS NULL
    AND d.receipt_at >= (SELECT min(t.created_at) FROM webhook_target t WHERE t.tenant_id = %(tenant)s)
ORDER BY d.receipt_at LIMIT %(rows_max)s
