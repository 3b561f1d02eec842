-- Wait for whoever changes a conversation now, a takeover or a turn, and keep others out until the transaction ends. Takes
-- tenant, conversation. Returns a row, or none when there is no such conversation.
SELECT 1 AS locked FROM conversation WHERE tenant_id = %(tenant)s AND conversation_id = %(conversation)s FOR NO KEY UPDATE
