-- Take the names of conversations and messages out of the records of what model calls cost; the figures stay. Takes tenant, conversations.
-- Returns a row for each.
UPDATE usage_record SET conversation_id = '', message_id = ''
WHERE tenant_id = %(tenant)s AND conversation_id = ANY (%(conversations)s)
RETURNING 1
