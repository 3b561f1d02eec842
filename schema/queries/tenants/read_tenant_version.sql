-- Read what a tenant's settings were in one version. Takes tenant, version. Returns settings, restores; or no row.
SELECT settings, restores FROM tenant_settings WHERE tenant_id = %(tenant)s AND version = %(version)s
