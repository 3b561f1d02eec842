-- Change a tenant's settings. Takes tenant, settings (the whole of them, JSON), version (that they were made from; 0: none), by, reason
-- or null, restores (an undo: the version whose settings these are, else null).
-- Returns version: the new one; null where there is no such tenant or another change came first.
SELECT change_tenant_settings(%(tenant)s, %(settings)s::jsonb, %(version)s, %(by)s, %(reason)s, %(restores)s) AS version
