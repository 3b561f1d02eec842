-- Make the first waiting delivery of a conversation to each target due, where none is. Takes tenant, conversation.
-- The caller holds the conversation's row of webhook_conversation.
UPDATE webhook_delivery d SET next_at = clock_timestamp()
WHERE d.tenant_id = %(tenant)s AND d.conversation_id = %(conversation)s AND d.state = 'waiting' AND d.next_at IS NULL
    AND NOT EXISTS (SELECT FROM webhook_delivery e
        WHERE e.tenant_id = d.tenant_id AND e.conversation_id = d.conversation_id AND e.target_id = d.target_id
            AND e.state = 'waiting' AND e.sequence < d.sequence)
