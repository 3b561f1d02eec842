-- Read what a tenant has spent today (UTC). Takes tenant. Returns one row: day, cost_usd, ceiling_usd (of its own; null: none).
SELECT today.day, coalesce(d.cost_usd, 0) AS cost_usd,
    (SELECT (s.settings #>> '{ceilings,usd_per_day}')::numeric FROM tenant_settings s
        WHERE s.tenant_id = %(tenant)s ORDER BY s.version DESC LIMIT 1) AS ceiling_usd
FROM (SELECT (now() AT TIME ZONE 'UTC')::date AS day) today
LEFT JOIN usage_day d ON d.tenant_id = %(tenant)s AND d.day = today.day
