-- Replace session items of a conversation by what they are sealed to. Takes tenant, conversation, items (JSON: ordinal, item).
UPDATE session_item s SET item = n.item
FROM jsonb_to_recordset(%(items)s::jsonb) AS n (ordinal bigint, item jsonb)
WHERE s.tenant_id = %(tenant)s AND s.conversation_id = %(conversation)s AND s.ordinal = n.ordinal
