-- Remove the usage records that are older than their tenants' own settings keep them; the totals of days stay. Takes rows_max.
-- Returns one row: how many went. What the deployment says holds besides.
-- Keeps: of two workers that do it at once, each takes other rows. Touches at most rows_max of them. A number of days that this
-- release cannot read is none.
WITH own AS (
    SELECT tenant_id, (settings #>> '{retention,usage_days}')::int AS days
    FROM (SELECT DISTINCT ON (tenant_id) tenant_id, settings FROM tenant_settings ORDER BY tenant_id, version DESC) newest
    WHERE CASE WHEN jsonb_typeof(settings #> '{retention,usage_days}') = 'number'
        THEN settings #>> '{retention,usage_days}' ~ '^[1-9][0-9]{0,3}$' ELSE false END),
gone AS (
    DELETE FROM usage_record WHERE usage_record_id = ANY (ARRAY(
        SELECT r.usage_record_id FROM own JOIN usage_record r USING (tenant_id)
        WHERE r.at < now() - make_interval(days => (SELECT min(days) FROM own))
            AND r.at < now() - make_interval(days => own.days)
        LIMIT %(rows_max)s FOR UPDATE OF r SKIP LOCKED))
    RETURNING 1)
SELECT count(*) AS removed FROM gone
