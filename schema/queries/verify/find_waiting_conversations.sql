-- Find conversations with messages that have waited for some time, oldest first. Takes age_seconds, conversations_max.
-- Returns how many messages wait that long, the first of them, and its age.
SELECT tenant_id, conversation_id, count(*) AS waiting, min(position) AS first_position,
    round(extract(epoch FROM clock_timestamp() - min(accepted_at)))::bigint AS seconds
FROM inbox
WHERE state = 'accepted' AND accepted_at < clock_timestamp() - make_interval(secs => %(age_seconds)s)
GROUP BY tenant_id, conversation_id
ORDER BY min(accepted_at)
LIMIT %(conversations_max)s
