-- Cancel what waits for a yes in a conversation that a person takes over. Takes tenant, conversation, person. Returns the ids.
UPDATE approval SET state = 'cancelled', decided_at = clock_timestamp(), decided_by = %(person)s, reason = 'taken over'
WHERE tenant_id = %(tenant)s AND conversation_id = %(conversation)s AND state = 'waiting'
RETURNING approval_id
