-- Find conversations with outbox rows that should be published by now. Takes age_seconds, findings_max.
-- Returns how many rows, the first of them, and the age of the oldest.
SELECT tenant_id, conversation_id, count(*) AS unpublished, min(ordinal) AS first_ordinal,
    round(extract(epoch FROM clock_timestamp() - min(created_at)))::bigint AS seconds
FROM outbox
WHERE published_at IS NULL AND created_at < clock_timestamp() - make_interval(secs => %(age_seconds)s)
GROUP BY tenant_id, conversation_id
ORDER BY min(created_at)
LIMIT %(findings_max)s
