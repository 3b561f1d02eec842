-- Find messages that wait for an answer. Takes age_seconds, after_accepted_at, after_tenant, after_message_id (where the
-- last page ended), messages_max. Returns one page, oldest first.
SELECT tenant_id, message_id, conversation_id, position, payload, accepted_at FROM inbox
WHERE state = 'accepted' AND accepted_at < clock_timestamp() - make_interval(secs => %(age_seconds)s)
    AND (accepted_at, tenant_id, message_id) > (%(after_accepted_at)s, %(after_tenant)s, %(after_message_id)s)
ORDER BY accepted_at, tenant_id, message_id
LIMIT %(messages_max)s
