-- Read entries of an audit chain in their order, whole, to verify or to export them. Takes tenant, after_number, entries_max.
-- Returns every column of the entries and of their details (no detail: its columns are null).
SELECT e.number, e.at, e.actor, e.role, e.address, e.operation, e.object_kind, e.before_hash, e.after_hash, e.detail_hash,
    e.prior_hash, e.hash, d.number AS detail_number, d.salt, d.object, d.conversation_id, d.reason, d.erased_by
FROM audit_entry e LEFT JOIN audit_detail d USING (tenant_id, number)
WHERE e.tenant_id = %(tenant)s AND e.number > %(after_number)s
ORDER BY e.number
LIMIT %(entries_max)s
