-- Find the conversations with unanswered messages, the longest waiting first. Takes conversations_max.
-- Returns tenant_id, conversation_id, messages, seconds (the age of the oldest); and of all of them, whatever the limit:
-- all_conversations, all_messages.
SELECT tenant_id, conversation_id, count(*) AS messages,
    extract(epoch FROM clock_timestamp() - min(accepted_at))::float8 AS seconds,
    count(*) OVER () AS all_conversations, (sum(count(*)) OVER ())::bigint AS all_messages
FROM inbox
WHERE state = 'accepted'
GROUP BY tenant_id, conversation_id
ORDER BY min(accepted_at)
LIMIT %(conversations_max)s
