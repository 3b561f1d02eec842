-- Find the tenants whose own settings say how long spans or usage are kept. Returns tenant_id, spans_days, usage_days (null: as
-- the deployment says).
SELECT tenant_id, (settings #>> '{retention,spans_days}')::int AS spans_days,
    (settings #>> '{retention,usage_days}')::int AS usage_days
FROM (SELECT DISTINCT ON (tenant_id) tenant_id, settings FROM tenant_settings ORDER BY tenant_id, version DESC) newest
WHERE settings ? 'retention'
