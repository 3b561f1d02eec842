-- Find what a reply is sent as. Takes tenant, reply_id. Returns number, content (sealed), state, attempts, provider_id and begun_at (of
-- the newest attempt; null: none), in order; no row: it has not been composed yet.
SELECT p.number, with_key(d.tenant_id, d.conversation_id, p.content) AS content, p.state, p.attempts, p.provider_id, a.begun_at
FROM reply_part p
JOIN reply_delivery d USING (tenant_id, reply_id)
LEFT JOIN reply_attempt a ON a.tenant_id = p.tenant_id AND a.reply_id = p.reply_id AND a.part = p.number AND a.number = p.attempts
WHERE p.tenant_id = %(tenant)s AND p.reply_id = %(reply_id)s
ORDER BY p.number
