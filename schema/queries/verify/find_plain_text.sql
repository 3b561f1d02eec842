-- Look for digits that must stand nowhere in the clear. Takes tenant, conversation, digits.
-- Returns the tables in which rows of the conversation hold them, whatever separates the digits.
WITH stored (place, content) AS (
    SELECT 'conversation', to_jsonb(c)::text FROM conversation c
        WHERE c.tenant_id = %(tenant)s AND c.conversation_id = %(conversation)s
    UNION ALL SELECT 'conversation_sender', to_jsonb(p)::text FROM conversation_sender p
        WHERE p.tenant_id = %(tenant)s AND p.conversation_id = %(conversation)s
    UNION ALL SELECT 'inbox', to_jsonb(i)::text FROM inbox i
        WHERE i.tenant_id = %(tenant)s AND i.conversation_id = %(conversation)s
    UNION ALL SELECT 'session_item', to_jsonb(s)::text FROM session_item s
        WHERE s.tenant_id = %(tenant)s AND s.conversation_id = %(conversation)s
    UNION ALL SELECT 'turn', to_jsonb(t)::text FROM turn t
        WHERE t.tenant_id = %(tenant)s AND t.conversation_id = %(conversation)s
    UNION ALL SELECT 'outbox', to_jsonb(o)::text FROM outbox o
        WHERE o.tenant_id = %(tenant)s AND o.conversation_id = %(conversation)s
    UNION ALL SELECT 'ticket', to_jsonb(k)::text FROM ticket k
        WHERE k.tenant_id = %(tenant)s AND k.conversation_id = %(conversation)s
    UNION ALL SELECT 'journal', to_jsonb(j)::text FROM journal j
        JOIN inbox i ON i.tenant_id = j.tenant_id AND i.message_id = j.message_id
        WHERE i.tenant_id = %(tenant)s AND i.conversation_id = %(conversation)s
    UNION ALL SELECT 'dead_letter', to_jsonb(d)::text FROM dead_letter d
        WHERE d.tenant_id = %(tenant)s AND d.conversation_id = %(conversation)s
)
SELECT DISTINCT place FROM stored
WHERE position(%(digits)s IN regexp_replace(content, '[^0-9A-Za-z{}":]', '', 'g')) > 0
ORDER BY place
