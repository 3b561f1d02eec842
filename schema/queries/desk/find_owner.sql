-- Find out whose a conversation is. Takes tenant, conversation.
-- Returns 'bot' or 'human', or no row when there is no such conversation.
SELECT owner FROM conversation WHERE tenant_id = %(tenant)s AND conversation_id = %(conversation)s
