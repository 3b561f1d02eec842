-- Fence off a turn under way, so that it starts over: something it has read changes. Takes tenant, conversation.
-- Returns the new version, or no row when there is no such conversation.
UPDATE conversation SET version = version + 1
WHERE tenant_id = %(tenant)s AND conversation_id = %(conversation)s
RETURNING version
