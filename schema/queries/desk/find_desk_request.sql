-- Find what was done under a request's id. Takes tenant, conversation, request_id. Returns act and sequence (of a reply), or no row.
SELECT act, sequence FROM desk_act
WHERE tenant_id = %(tenant)s AND conversation_id = %(conversation)s AND request_id = %(request_id)s
