-- Find messages that the provider took and reported as not delivered, and on which nothing has been done. Takes channel, rows_max.
-- Returns tenant_id, reply_id, number, attempts, status, status_code, has_content, and of their delivery: conversation_id, channel, account_id, own_address,
-- own_group, sender_key, ordinal, state, queued_at, is_newest (no later reply of the conversation was taken up), now.
SELECT p.tenant_id, p.reply_id, p.number, p.attempts, p.status, p.status_code, p.content IS NOT NULL AS has_content, d.conversation_id, d.channel, d.account_id, d.own_address,
    d.own_group, d.sender_key, d.ordinal, d.state, d.queued_at, clock_timestamp() AS now,
    NOT EXISTS (SELECT FROM reply_delivery e
        WHERE e.tenant_id = d.tenant_id AND e.conversation_id = d.conversation_id AND e.channel = d.channel AND e.ordinal > d.ordinal)
        AS is_newest
FROM reply_part p JOIN reply_delivery d USING (tenant_id, reply_id)
WHERE p.status_code IS NOT NULL AND p.failure_seen_at IS NULL AND d.channel = %(channel)s AND d.state <> 'waiting'
ORDER BY p.status_at LIMIT %(rows_max)s
