-- Make the first waiting delivery of a conversation on a channel due, where none is. Takes tenant, conversation, channel.
-- The caller holds the conversation's row of reply_conversation.
UPDATE reply_delivery d SET next_at = clock_timestamp()
WHERE d.tenant_id = %(tenant)s AND d.conversation_id = %(conversation)s AND d.channel = %(channel)s
    AND d.state = 'waiting' AND d.next_at IS NULL
    AND NOT EXISTS (SELECT FROM reply_delivery e
        WHERE e.tenant_id = d.tenant_id AND e.conversation_id = d.conversation_id AND e.channel = d.channel
            AND e.state = 'waiting' AND e.ordinal < d.ordinal)
