-- Find the conversations that a person wrote in, by their names. Takes tenant, person_key.
-- Returns conversation_id, others (how many other people wrote in it), is_held (it, or somebody who wrote in it, is on legal hold).
SELECT p.conversation_id,
    (SELECT count(*) FROM person_conversation o
        WHERE o.tenant_id = p.tenant_id AND o.conversation_id = p.conversation_id AND o.person_key <> p.person_key) AS others,
    EXISTS (SELECT FROM legal_hold h WHERE h.tenant_id = p.tenant_id AND (h.subject = 'conversation:' || p.conversation_id
        OR h.subject IN (SELECT 'person:' || w.person_key FROM person_conversation w
            WHERE w.tenant_id = p.tenant_id AND w.conversation_id = p.conversation_id))) AS is_held
FROM person_conversation p
WHERE p.tenant_id = %(tenant)s AND p.person_key = %(person_key)s
ORDER BY p.conversation_id
