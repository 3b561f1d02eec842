-- Read all that is kept of a person in one conversation. Takes tenant, conversation, person_key.
-- Returns one row, times and all sealed values as they are stored: messages, items (the person's, and those of nobody where the person
-- began the conversation), outbox, tickets, acts (of the desk), approvals, dead_letters, states (context, vault); or no row.
SELECT
    c.created_at,
    (SELECT coalesce(jsonb_agg(to_jsonb(m) ORDER BY m.position), '[]') FROM (
        SELECT i.message_id, i.position, i.channel, i.state, i.accepted_at, i.finished_at,
            with_key(i.tenant_id, i.conversation_id, i.payload) AS payload FROM inbox i
        WHERE i.tenant_id = c.tenant_id AND i.conversation_id = c.conversation_id AND i.sender_key = %(person_key)s) m) AS messages,
    (SELECT coalesce(jsonb_agg(to_jsonb(s) ORDER BY s.ordinal), '[]') FROM (
        SELECT ordinal, created_at, item_with_key(tenant_id, conversation_id, item) AS item FROM session_item
        WHERE tenant_id = c.tenant_id AND conversation_id = c.conversation_id
            AND (split_part(sender_key, '.', 1) = %(person_key)s
                OR (sender_key IS NULL AND c.first_sender_key = %(person_key)s))) s) AS items,
    (SELECT coalesce(jsonb_agg(to_jsonb(o) ORDER BY o.ordinal), '[]') FROM (
        SELECT ordinal, kind, with_key(tenant_id, conversation_id, body) AS body FROM outbox
        WHERE tenant_id = c.tenant_id AND conversation_id = c.conversation_id AND body <> '') o) AS outbox,
    (SELECT coalesce(jsonb_agg(to_jsonb(k) ORDER BY k.opened_at), '[]') FROM (
        SELECT ticket_id, category, priority, opened_at, answer_by, closed_at FROM ticket
        WHERE tenant_id = c.tenant_id AND conversation_id = c.conversation_id
            AND coalesce(split_part(sender_key, '.', 1), c.first_sender_key) = %(person_key)s) k) AS tickets,
    (SELECT coalesce(jsonb_agg(to_jsonb(a) ORDER BY a.number), '[]') FROM (
        SELECT number, act, by_person, at, with_key(tenant_id, conversation_id, reason) AS reason,
            with_key(tenant_id, conversation_id, note) AS note FROM desk_act
        WHERE tenant_id = c.tenant_id AND conversation_id = c.conversation_id) a) AS acts,
    (SELECT coalesce(jsonb_agg(to_jsonb(v) ORDER BY v.requested_at), '[]') FROM (
        SELECT kind, amount_usd, policy, state, requested_at, decided_at, decided_by,
            with_key(tenant_id, conversation_id, reason) AS reason,
            with_key(tenant_id, conversation_id, details) AS details FROM approval
        WHERE tenant_id = c.tenant_id AND conversation_id = c.conversation_id) v) AS approvals,
    (SELECT coalesce(jsonb_agg(to_jsonb(d) ORDER BY d.dead_letter_id), '[]') FROM (
        SELECT dead_letter_id, message_id, created_at, with_key(tenant_id, conversation_id, payload) AS payload FROM dead_letter
        WHERE tenant_id = c.tenant_id AND conversation_id = c.conversation_id) d) AS dead_letters,
    (SELECT coalesce(jsonb_agg(jsonb_build_object('context', context_with_key(c.tenant_id, c.conversation_id, e.context), 'vault', with_key(c.tenant_id, c.conversation_id, e.vault))), '[]') FROM (
        SELECT c.context, c.vault WHERE c.sender_key = %(person_key)s
        UNION ALL
        SELECT p.context, p.vault FROM conversation_sender p
            WHERE p.tenant_id = c.tenant_id AND p.conversation_id = c.conversation_id
                AND split_part(p.sender_key, '.', 1) = %(person_key)s) e) AS states
FROM conversation c
WHERE c.tenant_id = %(tenant)s AND c.conversation_id = %(conversation)s
