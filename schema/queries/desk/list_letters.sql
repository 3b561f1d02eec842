-- List dead letters, in the order in which they died: one page. Takes conversation, reason (a part of it), since, ids, each
-- or null; states; after_id (where the last page ended), letters_max.
-- Keeps: nothing sealed leaves the database by it, so nobody needs a key to look.
SELECT dead_letter_id, tenant_id, conversation_id, message_id, reason, attempts, state, created_at, settled_at, settled_by,
    settled_because, redriven_as
FROM dead_letter
WHERE dead_letter_id > %(after_id)s AND state = ANY (%(states)s)
    AND tenant_id = %(tenant)s
    AND (%(conversation)s::text IS NULL OR conversation_id = %(conversation)s)
    AND (%(reason)s::text IS NULL OR position(lower(%(reason)s) IN lower(reason)) > 0)
    AND (%(since)s::timestamptz IS NULL OR created_at >= %(since)s)
    AND (%(ids)s::bigint[] IS NULL OR dead_letter_id = ANY (%(ids)s))
ORDER BY dead_letter_id
LIMIT %(letters_max)s
