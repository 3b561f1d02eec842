-- Read a conversation for people to look at. Takes tenant, conversation, items_max, rows_max.
-- Returns one row: the conversation, its newest items, turns, tickets and dead letters (each oldest first), who of the desk spoke
-- (by the version that an item has as its turn), how many
-- messages wait and how many outbox rows are unpublished; or no row when there is no such conversation.
-- Keeps: nothing sealed leaves the database by it, so nobody needs a key to look.
SELECT
    c.owner, c.version, c.last_agent,
    context_with_key(c.tenant_id, c.conversation_id, c.context) AS context, c.last_sequence AS replies, c.last_position AS accepted,
    c.created_at, c.updated_at,
    c.last_position - c.done_position AS waiting,
    (SELECT count(*) FROM outbox o
        WHERE o.tenant_id = c.tenant_id AND o.conversation_id = c.conversation_id AND o.published_at IS NULL) AS unpublished,
    (SELECT coalesce(jsonb_agg(to_jsonb(s) ORDER BY s.ordinal), '[]') FROM (
        SELECT ordinal, turn, item_with_key(tenant_id, conversation_id, item) AS item, created_at FROM session_item
        WHERE tenant_id = c.tenant_id AND conversation_id = c.conversation_id
        ORDER BY ordinal DESC LIMIT %(items_max)s) s) AS items,
    (SELECT coalesce(jsonb_agg(to_jsonb(t) - 'tenant_id' - 'conversation_id' ORDER BY t.number), '[]') FROM (
        SELECT * FROM turn
        WHERE tenant_id = c.tenant_id AND conversation_id = c.conversation_id
        ORDER BY number DESC LIMIT %(rows_max)s) t) AS turns,
    (SELECT coalesce(jsonb_object_agg(a.version, CASE a.act WHEN 'reply' THEN a.by_person ELSE 'Desk' END), '{}') FROM (
        SELECT version, act, by_person FROM desk_act
        WHERE tenant_id = c.tenant_id AND conversation_id = c.conversation_id AND act IN ('reply', 'apologise')
        ORDER BY number DESC LIMIT %(rows_max)s) a) AS people,
    (SELECT coalesce(jsonb_agg(to_jsonb(k) ORDER BY k.opened_at), '[]') FROM (
        SELECT ticket_id, category, priority, opened_at, answer_by, closed_at FROM ticket
        WHERE tenant_id = c.tenant_id AND conversation_id = c.conversation_id
        ORDER BY opened_at DESC LIMIT %(rows_max)s) k) AS tickets,
    (SELECT coalesce(jsonb_agg(to_jsonb(d) ORDER BY d.dead_letter_id), '[]') FROM (
        SELECT dead_letter_id, message_id, reason, attempts, created_at FROM dead_letter
        WHERE tenant_id = c.tenant_id AND conversation_id = c.conversation_id
        ORDER BY dead_letter_id DESC LIMIT %(rows_max)s) d) AS dead_letters
FROM conversation c
WHERE c.tenant_id = %(tenant)s AND c.conversation_id = %(conversation)s
