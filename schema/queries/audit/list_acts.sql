-- List entries of an audit chain, newest first. Takes tenant, before_number (null: from the newest on), since, actor, operation,
-- conversation (null: any), acts_max. Returns the entries with what is kept of their details.
SELECT e.number, e.at, e.actor, e.role, e.address, e.operation, e.object_kind, d.object, d.conversation_id, d.reason, d.erased_by,
    e.before_hash, e.after_hash, e.hash
FROM audit_entry e LEFT JOIN audit_detail d USING (tenant_id, number)
WHERE e.tenant_id = %(tenant)s AND (%(before_number)s::bigint IS NULL OR e.number < %(before_number)s)
    AND (%(since)s::timestamptz IS NULL OR e.at >= %(since)s)
    AND (%(actor)s::text IS NULL OR e.actor = %(actor)s)
    AND (%(operation)s::text IS NULL OR e.operation = %(operation)s)
    AND (%(conversation)s::text IS NULL OR d.conversation_id = %(conversation)s)
ORDER BY e.number DESC
LIMIT %(acts_max)s
