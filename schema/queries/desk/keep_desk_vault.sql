-- Store the vault of the sender whose state a conversation holds. Takes tenant, conversation, vault (sealed).
UPDATE conversation SET vault = %(vault)s WHERE tenant_id = %(tenant)s AND conversation_id = %(conversation)s
