-- List deliveries of replies with their parts, the newest first. Takes tenant; account_id, reply_id, conversation, state (null: any); rows_max.
-- Returns a row for each part, and one for a delivery that was not composed yet: number and what follows are null. No text and no address.
SELECT d.account_id, d.channel, d.reply_id, d.conversation_id, d.ordinal, d.author, d.state, d.reason, d.tries, d.next_at, d.queued_at,
    d.finished_at, d.receipt, d.receipt_code, d.receipt_at,
    p.number, p.state AS part_state, p.attempts, p.provider_id, p.status, p.status_code, p.status_at
FROM reply_delivery d
LEFT JOIN reply_part p USING (tenant_id, reply_id)
WHERE d.tenant_id = %(tenant)s AND d.account_id = coalesce(%(account_id)s::text, d.account_id)
    AND d.reply_id = coalesce(%(reply_id)s::text, d.reply_id)
    AND d.conversation_id = coalesce(%(conversation)s::text, d.conversation_id) AND d.state = coalesce(%(state)s::text, d.state)
ORDER BY d.queued_at DESC, d.reply_id, p.number
LIMIT %(rows_max)s
