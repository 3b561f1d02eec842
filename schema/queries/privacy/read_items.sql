-- Read a conversation's session items that are not sealed. Takes tenant, conversation. Returns ordinal, item.
SELECT ordinal, item FROM session_item
WHERE tenant_id = %(tenant)s AND conversation_id = %(conversation)s AND NOT item ? 'sealed'
ORDER BY ordinal
