-- Sum up what is committed and not published yet. Takes nothing.
-- Returns unpublished, how many rows of the outbox, and seconds, the age of the oldest (0 without any).
SELECT count(*) AS unpublished, coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float8 AS seconds
FROM outbox
WHERE published_at IS NULL
