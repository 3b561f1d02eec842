-- List what was done about a conversation at the desk, oldest first. Takes tenant, conversation, after (a number), rows_max.
-- Returns the acts; notes are sealed, reasons may be, and both have their conversation's key with them.
SELECT number, act, by_person, from_state, to_state, from_person, to_person, ticket_id, version, position, sequence,
    with_key(tenant_id, conversation_id, reason) AS reason,
    with_key(tenant_id, conversation_id, note) AS note, at
FROM desk_act
WHERE tenant_id = %(tenant)s AND conversation_id = %(conversation)s AND number > %(after)s
ORDER BY number
LIMIT %(rows_max)s
