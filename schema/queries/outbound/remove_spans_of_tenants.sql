-- Remove the spans that are older than their tenants' own settings keep them. Takes rows_max.
-- Returns one row: how many went. What the deployment says holds besides.
-- Keeps: of two workers that do it at once, each takes other rows. Touches at most rows_max of them. A number of days that this
-- release cannot read is none.
WITH own AS (
    SELECT tenant_id, (settings #>> '{retention,spans_days}')::int AS days
    FROM (SELECT DISTINCT ON (tenant_id) tenant_id, settings FROM tenant_settings ORDER BY tenant_id, version DESC) newest
    WHERE CASE WHEN jsonb_typeof(settings #> '{retention,spans_days}') = 'number'
        THEN settings #>> '{retention,spans_days}' ~ '^[1-9][0-9]{0,3}$' ELSE false END),
gone AS (
    DELETE FROM span WHERE ctid = ANY (ARRAY(
        SELECT r.ctid FROM own JOIN span r USING (tenant_id)
        WHERE r.started_at < now() - make_interval(days => (SELECT min(days) FROM own))
            AND r.started_at < now() - make_interval(days => own.days)
        LIMIT %(rows_max)s FOR UPDATE OF r SKIP LOCKED))
    RETURNING 1)
SELECT count(*) AS removed FROM gone
