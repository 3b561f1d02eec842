-- Find the newest replies of a conversation. Takes tenant, conversation, rows_max. Returns body (sealed), the newest first.
SELECT with_key(tenant_id, conversation_id, body) AS body FROM outbox
WHERE tenant_id = %(tenant)s AND conversation_id = %(conversation)s AND kind = 'reply' AND body IS NOT NULL
ORDER BY ordinal DESC
LIMIT %(rows_max)s
