-- Find conversations whose outbox or replies have a gap in their numbers, or end elsewhere than the conversation says. Takes
-- findings_max. Returns the conversation's counters beside what the outbox has; what is past its days or was erased is no gap.
SELECT c.tenant_id, c.conversation_id, c.last_ordinal, coalesce(o.entries, 0) AS entries, coalesce(o.newest, 0) AS newest,
    c.last_sequence, coalesce(o.replies, 0) AS replies, coalesce(o.newest_reply, 0) AS newest_reply
FROM conversation c
LEFT JOIN (
    SELECT tenant_id, conversation_id, count(*) AS entries, max(ordinal) AS newest,
        count(*) FILTER (WHERE kind = 'reply') AS replies, max(sequence) FILTER (WHERE kind = 'reply') AS newest_reply
    FROM outbox GROUP BY tenant_id, conversation_id) o USING (tenant_id, conversation_id)
WHERE coalesce(o.entries, 0) <> c.last_ordinal - c.gone_ordinal OR coalesce(o.newest, c.gone_ordinal) <> c.last_ordinal
    OR coalesce(o.replies, 0) <> c.last_sequence - c.gone_sequence
    OR coalesce(o.newest_reply, c.gone_sequence) <> c.last_sequence
ORDER BY c.tenant_id, c.conversation_id
LIMIT %(findings_max)s
