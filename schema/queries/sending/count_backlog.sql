-- Count the messages that wait for an answer. Takes messages_max: where to stop counting, all tenants together.
-- Returns tenant_id, waiting: of each tenant that has any.
SELECT tenant_id, count(*) AS waiting
FROM (SELECT tenant_id FROM inbox WHERE state = 'accepted' LIMIT %(messages_max)s) found
GROUP BY tenant_id
