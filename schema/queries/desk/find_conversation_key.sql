-- Find the key of a conversation. Takes tenant, conversation. Returns sealed_key; no row where it has none.
SELECT sealed_key FROM conversation_key WHERE tenant_id = %(tenant)s AND conversation_id = %(conversation)s
