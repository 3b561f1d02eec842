-- Suspend a tenant: nothing more is accepted for it. Takes tenant, by, because. Returns suspended_at (an earlier one stands); or no row.
UPDATE tenant
SET suspended_by = CASE WHEN suspended_at IS NULL THEN %(by)s ELSE suspended_by END,
    suspended_because = CASE WHEN suspended_at IS NULL THEN %(because)s ELSE suspended_because END,
    suspended_at = coalesce(suspended_at, clock_timestamp())
WHERE tenant_id = %(tenant)s
RETURNING suspended_at
