-- List what customer and agents said in a conversation, oldest first. Takes tenant, conversation, after (an ordinal), rows_max.
-- Returns ordinal, role, content (masked, as stored), agent (that ended the turn; null: not committed by one), turn, created_at.
-- Keeps: nothing sealed leaves the database by it.
SELECT
    s.ordinal, s.item ->> 'role' AS role, s.item -> 'content' AS content, t.agent, s.turn, s.created_at
FROM session_item s
LEFT JOIN turn t ON t.tenant_id = s.tenant_id AND t.conversation_id = s.conversation_id AND t.number = s.turn
WHERE s.tenant_id = %(tenant)s AND s.conversation_id = %(conversation)s AND s.ordinal > %(after)s
    AND coalesce(s.item ->> 'type', 'message') = 'message'
    AND s.item ->> 'role' IN ('user', 'assistant')
ORDER BY s.ordinal
LIMIT %(rows_max)s
