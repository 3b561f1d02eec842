-- Read how one conversation stands at the desk. Takes tenant, conversation. Returns `desk`, as move_conversation gives it; or no row.
SELECT desk_of(c) AS desk FROM conversation c WHERE c.tenant_id = %(tenant)s AND c.conversation_id = %(conversation)s
