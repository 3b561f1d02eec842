-- Claim deliveries that are due on a channel. Takes channel, busy (ids of accounts that have enough under way), each_max (of one account),
-- deliveries_max, hold_seconds. Returns tenant_id, reply_id, conversation_id, channel, account_id, own_address, own_group, sender_key, claim
-- (its number), tries, queued_at, body (of the reply, sealed), sealed_key (the conversation's; null: none), now. Keeps: a claim that is not settled within hold_seconds is due again, for its process
-- died; nothing is claimed of a suspended tenant, or of an account that is stopped or pauses. Nothing is sent by a claim alone: begin_reply_part.
WITH due AS (
    SELECT d.tenant_id, d.reply_id
    FROM channel_account a
    JOIN tenant t ON t.tenant_id = a.tenant_id AND t.suspended_at IS NULL
    CROSS JOIN LATERAL (
        SELECT w.tenant_id, w.reply_id, w.next_at FROM reply_delivery w
        WHERE w.tenant_id = a.tenant_id AND w.account_id = a.account_id AND w.next_at <= clock_timestamp()
        ORDER BY w.next_at LIMIT %(each_max)s
        FOR NO KEY UPDATE SKIP LOCKED) d
    WHERE a.channel = %(channel)s AND a.disabled_at IS NULL AND (a.paused_until IS NULL OR a.paused_until <= clock_timestamp())
        AND a.account_id <> ALL (%(busy)s::text[])
    ORDER BY d.next_at LIMIT %(deliveries_max)s
), claimed AS (
    UPDATE reply_delivery d
    SET claims = d.claims + 1, next_at = clock_timestamp() + make_interval(secs => %(hold_seconds)s)
    FROM due WHERE d.tenant_id = due.tenant_id AND d.reply_id = due.reply_id
    RETURNING d.tenant_id, d.reply_id, d.conversation_id, d.channel, d.account_id, d.own_address, d.own_group, d.sender_key,
        d.ordinal, d.claims AS claim, d.tries, d.queued_at
)
SELECT c.*, with_key(o.tenant_id, o.conversation_id, o.body) AS body, k.sealed_key, clock_timestamp() AS now
FROM claimed c
LEFT JOIN conversation_key k ON k.tenant_id = c.tenant_id AND k.conversation_id = c.conversation_id
LEFT JOIN outbox o ON o.tenant_id = c.tenant_id AND o.conversation_id = c.conversation_id AND o.ordinal = c.ordinal
    AND o.entry_id = c.reply_id
