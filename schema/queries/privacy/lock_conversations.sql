-- Lock conversations until the transaction ends: no turn commits, and nothing is accepted. Takes tenant, conversations.
-- Returns conversation_id of those that there are, in order.
SELECT conversation_id FROM conversation
WHERE tenant_id = %(tenant)s AND conversation_id = ANY (%(conversations)s)
ORDER BY conversation_id FOR UPDATE
