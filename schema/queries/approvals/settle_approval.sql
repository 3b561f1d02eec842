-- Note what became of a decision, in the commit of its turn. Takes tenant, approval_id, outcome: applied, changed (a new offer was made)
-- or told. Keeps: once.
UPDATE approval SET state = %(outcome)s, settled_at = clock_timestamp()
WHERE tenant_id = %(tenant)s AND approval_id = %(approval_id)s AND state IN ('approved', 'rejected', 'expired')
