-- Move a conversation between bot and human. Takes tenant, conversation, owner.
-- Returns its new version, or no row when it already was theirs or is unknown.
-- Keeps: the version advances, so a turn under way cannot commit afterwards. An offer that waits for a yes is dropped:
-- the next yes may answer what the human said.
UPDATE conversation
SET owner = %(owner)s, version = version + 1, updated_at = clock_timestamp(), context = context - 'quote'
WHERE tenant_id = %(tenant)s AND conversation_id = %(conversation)s AND owner <> %(owner)s
RETURNING version
