-- Call a conversation resolved, as far as it is answered. Takes tenant, conversation, resolved_at, resolved_by.
-- Returns its position; no row when nothing is answered, or as much was called resolved before.
INSERT INTO resolution (tenant_id, conversation_id, position, resolved_at, resolved_by)
    SELECT c.tenant_id, c.conversation_id, c.done_position, %(resolved_at)s, %(resolved_by)s
    FROM conversation c
    WHERE c.tenant_id = %(tenant)s AND c.conversation_id = %(conversation)s AND c.done_position > 0
ON CONFLICT DO NOTHING
RETURNING position
