-- Find conversations whose messages do not add up: accepted is not waiting and done, a position is missing, or something
-- waits behind what is done. Takes findings_max. Returns the conversation's counters beside what the inbox has.
SELECT c.tenant_id, c.conversation_id, c.last_position, c.done_position, coalesce(i.messages, 0) AS messages,
    coalesce(i.newest, 0) AS newest, coalesce(i.waiting, 0) AS waiting, i.first_waiting
FROM conversation c
LEFT JOIN (
    SELECT tenant_id, conversation_id, count(*) AS messages, max(position) AS newest,
        count(*) FILTER (WHERE state = 'accepted') AS waiting, min(position) FILTER (WHERE state = 'accepted') AS first_waiting
    FROM inbox GROUP BY tenant_id, conversation_id) i USING (tenant_id, conversation_id)
WHERE coalesce(i.messages, 0) <> c.last_position - c.gone_position OR coalesce(i.newest, c.gone_position) <> c.last_position
    OR coalesce(i.waiting, 0) <> c.last_position - c.done_position OR i.first_waiting <> c.done_position + 1
ORDER BY c.tenant_id, c.conversation_id
LIMIT %(findings_max)s
