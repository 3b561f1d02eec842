-- Find the key of an approval's conversation. Takes tenant, approval_id. Returns sealed_key; no row where it has none.
SELECT k.sealed_key FROM approval a
JOIN conversation_key k ON k.tenant_id = a.tenant_id AND k.conversation_id = a.conversation_id
WHERE a.tenant_id = %(tenant)s AND a.approval_id = %(approval_id)s
