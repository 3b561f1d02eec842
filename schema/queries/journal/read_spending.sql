-- Read what a tenant has spent today (UTC). Takes tenant. Returns one row: day, cost_usd.
SELECT today.day, coalesce(d.cost_usd, 0) AS cost_usd
FROM (SELECT (now() AT TIME ZONE 'UTC')::date AS day) today
LEFT JOIN usage_day d ON d.tenant_id = %(tenant)s AND d.day = today.day
