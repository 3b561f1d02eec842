-- Find how long each tenant's conversations are kept. Takes older_than_days (the deployment's).
-- Returns tenant_id, before: from when on they are kept. A number of days that this release cannot read is none.
SELECT t.tenant_id, clock_timestamp() - make_interval(days => least(%(older_than_days)s, n.days)) AS before
FROM tenant t
LEFT JOIN LATERAL (
    SELECT CASE WHEN jsonb_typeof(s.settings #> '{retention,conversations_days}') = 'number'
            AND s.settings #>> '{retention,conversations_days}' ~ '^[1-9][0-9]{0,3}$'
        THEN (s.settings #>> '{retention,conversations_days}')::int END AS days
    FROM tenant_settings s WHERE s.tenant_id = t.tenant_id ORDER BY s.version DESC LIMIT 1) n ON true
ORDER BY t.tenant_id
