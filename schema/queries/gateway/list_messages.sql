-- List what customer and agents said in a conversation, oldest first. Takes tenant, conversation, after (an ordinal), rows_max.
-- Returns ordinal, role, content (masked, as stored; null where the item is sealed), sealed (the item, or null), agent (that ended the turn, or the person who wrote; null: neither), turn, created_at.
SELECT
    s.ordinal, s.item ->> 'role' AS role, s.item -> 'content' AS content,
    with_key(s.tenant_id, s.conversation_id, s.item ->> 'sealed') AS sealed, coalesce(t.agent, a.by_person) AS agent, s.turn, s.created_at
FROM session_item s
LEFT JOIN turn t ON t.tenant_id = s.tenant_id AND t.conversation_id = s.conversation_id AND t.number = s.turn
LEFT JOIN desk_act a ON a.tenant_id = s.tenant_id AND a.conversation_id = s.conversation_id AND a.version = s.turn AND a.act = 'reply'
WHERE s.tenant_id = %(tenant)s AND s.conversation_id = %(conversation)s AND s.ordinal > %(after)s
    AND coalesce(s.item ->> 'type', 'message') = 'message'
    AND s.item ->> 'role' IN ('user', 'assistant')
ORDER BY s.ordinal
LIMIT %(rows_max)s
