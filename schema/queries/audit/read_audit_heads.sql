-- Read the heads of audit chains. Takes tenant ('*' as the scope and null here: all of them). Returns tenant_id, entries, head_hash.
SELECT tenant_id, entries, head_hash FROM audit_chain
WHERE %(tenant)s::text IS NULL OR tenant_id = %(tenant)s
ORDER BY tenant_id
