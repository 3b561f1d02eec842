-- Look for the last time whether a part of a reply may leave, and record the attempt. Takes tenant, reply_id, claim, part, hold_seconds.
-- Returns one row: verdict (send | withheld: a person owns the conversation, or took it after this | suppressed | suspended |
-- stopped: the account is), attempt (the number of this one; null: nothing may be sent), begun_at; or no row: the claim is not ours any more, or the part is not to be sent.
-- Keeps: a takeover that has begun is waited for, so the verdict is true until the conversation's row is written again.
WITH looked AS (
    SELECT d.tenant_id, d.reply_id,
        CASE
            WHEN t.suspended_at IS NOT NULL THEN 'suspended'
            WHEN a.disabled_at IS NOT NULL THEN 'stopped'
            WHEN d.author = 'bot' AND (c.owner = 'human' OR d.ordinal <= c.taken_ordinal) THEN 'withheld'
            WHEN EXISTS (SELECT FROM channel_suppression s
                WHERE s.tenant_id = d.tenant_id AND s.channel = d.channel AND s.sender_key = d.sender_key
                    AND s.own_address IN (d.own_address, d.own_group) AND s.lifted_at IS NULL) THEN 'suppressed'
            ELSE 'send'
        END AS verdict
    FROM reply_delivery d
    JOIN tenant t ON t.tenant_id = d.tenant_id
    JOIN channel_account a ON a.tenant_id = d.tenant_id AND a.account_id = d.account_id
    JOIN conversation c ON c.tenant_id = d.tenant_id AND c.conversation_id = d.conversation_id
    WHERE d.tenant_id = %(tenant)s AND d.reply_id = %(reply_id)s AND d.claims = %(claim)s AND d.state = 'waiting'
    FOR NO KEY UPDATE OF d FOR SHARE OF c
), begun AS (
    UPDATE reply_part p SET state = 'sending', attempts = p.attempts + 1
    FROM looked l
    WHERE l.verdict = 'send' AND p.tenant_id = l.tenant_id AND p.reply_id = l.reply_id AND p.number = %(part)s AND p.state = 'ready'
    RETURNING p.tenant_id, p.reply_id, p.number, p.attempts
), noted AS (
    INSERT INTO reply_attempt (tenant_id, reply_id, part, number)
        SELECT tenant_id, reply_id, number, attempts FROM begun
    RETURNING number, begun_at
), held AS (
    UPDATE reply_delivery d SET next_at = clock_timestamp() + make_interval(secs => %(hold_seconds)s)
    FROM begun b WHERE d.tenant_id = b.tenant_id AND d.reply_id = b.reply_id
)
SELECT l.verdict, n.number AS attempt, n.begun_at
FROM looked l LEFT JOIN noted n ON true
WHERE l.verdict <> 'send' OR n.number IS NOT NULL
