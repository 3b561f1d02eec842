-- Find conversations without a key of their own, a page at a time. Takes after_tenant, after_conversation (where the last page ended),
-- rows_max. Returns tenant_id, conversation_id, in order.
SELECT c.tenant_id, c.conversation_id FROM conversation c
LEFT JOIN conversation_key k USING (tenant_id, conversation_id)
WHERE k.tenant_id IS NULL AND (c.tenant_id, c.conversation_id) > (%(after_tenant)s, %(after_conversation)s)
ORDER BY c.tenant_id, c.conversation_id
LIMIT %(rows_max)s
