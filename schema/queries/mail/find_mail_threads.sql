-- Find the conversation that a mail belongs to, of those that it claims and its sender takes part in. Takes tenant, sender_key,
-- references (of conversations in tokens), replies (ids), id_hashes (of Message-IDs), each from the best claim on.
-- Returns conversation_id and its key (sealed_key; null: none), of the best claim first.
SELECT m.conversation_id,
    (SELECT k.sealed_key FROM conversation_key k
        WHERE k.tenant_id = %(tenant)s AND k.conversation_id = m.conversation_id) AS sealed_key
FROM mail_message m
WHERE m.tenant_id = %(tenant)s
    AND (m.reference = ANY (%(references)s::text[]) OR m.message_id = ANY (%(replies)s::text[])
        OR m.id_hash = ANY (%(id_hashes)s::bytea[]))
    AND EXISTS (SELECT FROM inbox i
        WHERE i.tenant_id = m.tenant_id AND i.conversation_id = m.conversation_id AND i.sender_key = %(sender_key)s)
GROUP BY m.conversation_id
ORDER BY
    min(array_position(%(references)s::text[], m.reference)) NULLS LAST,
    min(least(array_position(%(replies)s::text[], m.message_id), array_position(%(id_hashes)s::bytea[], m.id_hash))),
    m.conversation_id
LIMIT 1
