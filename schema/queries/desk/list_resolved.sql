-- List resolved conversations, the newest first. Takes what list_waiting takes, with after_due as the resolved_at that the last
-- page ended with; view and person are not looked at. Returns what list_waiting returns; due is when each was resolved.
SELECT c.conversation_id, c.desk_state, c.owner, c.claimed_by, c.claimed_until, c.waiting_since, c.answer_by, c.snoozed_until,
    c.resolved_at, c.desk_version, c.last_position, c.last_position - c.done_position AS unread, false AS is_overdue,
    c.resolved_at AS due, k.ticket_id, k.category, k.priority, i.channel
FROM conversation c
LEFT JOIN LATERAL (SELECT t.ticket_id, t.category, t.priority FROM ticket t
    WHERE t.tenant_id = c.tenant_id AND t.conversation_id = c.conversation_id
    ORDER BY t.opened_at DESC, t.ticket_id LIMIT 1) k ON true
LEFT JOIN inbox i ON i.tenant_id = c.tenant_id AND i.conversation_id = c.conversation_id AND i.position = c.last_position
WHERE c.tenant_id = %(tenant)s AND c.desk_state = 'resolved'
    AND (%(category)s::text IS NULL OR k.category = %(category)s)
    AND (%(priority)s::text IS NULL OR k.priority = %(priority)s)
    AND (%(channel)s::text IS NULL OR i.channel = %(channel)s)
    AND (c.resolved_at, c.conversation_id) < (%(after_due)s, %(after_conversation)s)
ORDER BY c.resolved_at DESC, c.conversation_id DESC
LIMIT %(rows_max)s
