-- Count the messages that wait for an answer, of all tenants. Takes messages_max: where to stop counting.
-- Returns waiting, at most messages_max.
SELECT count(*) AS waiting FROM (SELECT FROM inbox WHERE state = 'accepted' LIMIT %(messages_max)s) found
