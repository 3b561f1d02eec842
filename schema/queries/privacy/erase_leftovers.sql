-- Remove what was written of conversations while they were erased: by a deliverer that had read them, by a worker that had spans in hand.
-- Takes tenant, conversations. Returns removed. Keeps: a conversation that has begun anew.
WITH gone AS (
    SELECT n.conversation_id FROM unnest(%(conversations)s::text[]) AS n (conversation_id)
    WHERE NOT EXISTS (SELECT FROM conversation c WHERE c.tenant_id = %(tenant)s AND c.conversation_id = n.conversation_id)),
spans AS (
    DELETE FROM span s USING gone g WHERE s.tenant_id = %(tenant)s AND s.conversation_id = g.conversation_id RETURNING 1),
events AS (
    DELETE FROM webhook_event e USING gone g WHERE e.tenant_id = %(tenant)s AND e.conversation_id = g.conversation_id RETURNING 1),
places AS (
    DELETE FROM webhook_conversation w USING gone g WHERE w.tenant_id = %(tenant)s AND w.conversation_id = g.conversation_id RETURNING 1)
SELECT (SELECT count(*) FROM spans) + (SELECT count(*) FROM events) + (SELECT count(*) FROM places) AS removed
