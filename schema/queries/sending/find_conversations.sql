-- Find which of some conversations exist. Takes tenant, conversations (a list). Returns conversation_id.
SELECT conversation_id FROM conversation
WHERE tenant_id = %(tenant)s AND conversation_id = ANY(%(conversations)s)
