-- Say that nothing of a tenant is left. Takes tenant. Keeps: the first such moment.
UPDATE deleted_tenant SET finished_at = coalesce(finished_at, clock_timestamp()) WHERE tenant_id = %(tenant)s
