-- Note that receipts of replies were turned into webhook events. Takes tenant, reply_ids and receipts (arrays, one beside the other).
-- Keeps: a receipt that has changed since it was read is told as well.
UPDATE reply_delivery d SET receipt_told_at = clock_timestamp()
FROM unnest(%(reply_ids)s::text[], %(receipts)s::text[]) AS g (reply_id, receipt)
WHERE d.tenant_id = %(tenant)s AND d.reply_id = g.reply_id AND d.receipt = g.receipt
