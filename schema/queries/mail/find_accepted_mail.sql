-- Find the conversation in which a message was accepted. Takes tenant, message_id. Returns conversation_id, or no row.
SELECT conversation_id FROM inbox WHERE tenant_id = %(tenant)s AND message_id = %(message_id)s
