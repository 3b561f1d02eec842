-- Find conversations of a tenant with turns from before a time, those with the oldest first. Takes tenant, before, turns_max (to look at).
-- Returns conversation_id, is_silent (nothing of it is newer, and nothing waits: it goes as a whole). Nothing that is on legal hold.
SELECT f.conversation_id, c.updated_at < %(before)s AND c.done_position = c.last_position
    AND NOT EXISTS (SELECT FROM outbox o WHERE o.tenant_id = c.tenant_id AND o.conversation_id = c.conversation_id
        AND o.published_at IS NULL) AS is_silent
FROM (
    SELECT DISTINCT o.conversation_id FROM (
        SELECT t.conversation_id FROM turn t
        WHERE t.tenant_id = %(tenant)s AND t.committed_at < %(before)s
            AND NOT EXISTS (SELECT FROM legal_hold h WHERE h.tenant_id = t.tenant_id
                AND (h.subject = 'conversation:' || t.conversation_id OR h.subject IN (
                    SELECT 'person:' || p.person_key FROM person_conversation p
                    WHERE p.tenant_id = t.tenant_id AND p.conversation_id = t.conversation_id)))
        ORDER BY t.committed_at LIMIT %(turns_max)s) o) f
JOIN conversation c ON c.tenant_id = %(tenant)s AND c.conversation_id = f.conversation_id
ORDER BY f.conversation_id
