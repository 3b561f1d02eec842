-- Read a dead letter with its payload (sealed; null once dropped), so that nobody settles it meanwhile. Takes tenant,
-- letter_id. Returns one row, or none.
SELECT dead_letter_id, tenant_id, conversation_id, message_id, reason, attempts, state, created_at, settled_at, settled_by,
    settled_because, redriven_as, with_key(tenant_id, conversation_id, payload) AS payload
FROM dead_letter
WHERE tenant_id = %(tenant)s AND dead_letter_id = %(letter_id)s
FOR UPDATE
