-- List what waits for a yes, the soonest to expire first. Takes tenant, rows_max. Returns the rows, details sealed.
SELECT approval_id, conversation_id, kind, amount_usd, policy,
    with_key(tenant_id, conversation_id, details) AS details, requested_at, expires_at
FROM approval WHERE tenant_id = %(tenant)s AND state = 'waiting'
ORDER BY expires_at, approval_id LIMIT %(rows_max)s
