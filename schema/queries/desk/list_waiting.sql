-- List the conversations that wait for a person, or that one has: the soonest due first, so what is overdue leads. Takes tenant;
-- view: all, unassigned, mine, overdue or snoozed; person (whose are `mine`); category, priority, channel (null: any);
-- after_due, after_conversation: where the last page ended; rows_max.
-- Returns how each stands, its newest ticket, the channel of its newest message and due, what the page is ordered by.
SELECT c.conversation_id, c.desk_state, c.owner, c.claimed_by, c.claimed_until, c.waiting_since, c.answer_by, c.snoozed_until,
    c.resolved_at, c.desk_version, c.last_position, c.last_position - c.done_position AS unread,
    c.answer_by <= clock_timestamp() AS is_overdue, coalesce(c.answer_by, '9999-12-31 00:00Z') AS due,
    k.ticket_id, k.category, k.priority, i.channel
FROM conversation c
LEFT JOIN LATERAL (SELECT t.ticket_id, t.category, t.priority FROM ticket t
    WHERE t.tenant_id = c.tenant_id AND t.conversation_id = c.conversation_id
    ORDER BY t.closed_at IS NOT NULL, t.opened_at DESC, t.ticket_id LIMIT 1) k ON true
LEFT JOIN inbox i ON i.tenant_id = c.tenant_id AND i.conversation_id = c.conversation_id AND i.position = c.last_position
WHERE c.tenant_id = %(tenant)s AND c.desk_state IN ('waiting', 'human')
    AND CASE %(view)s
        WHEN 'unassigned' THEN c.desk_state = 'waiting'
        WHEN 'mine' THEN c.claimed_by = %(person)s AND coalesce(c.snoozed_until <= clock_timestamp(), true)
        WHEN 'overdue' THEN c.answer_by <= clock_timestamp()
        WHEN 'snoozed' THEN c.snoozed_until > clock_timestamp()
        ELSE true END
    AND (%(category)s::text IS NULL OR k.category = %(category)s)
    AND (%(priority)s::text IS NULL OR k.priority = %(priority)s)
    AND (%(channel)s::text IS NULL OR i.channel = %(channel)s)
    AND (coalesce(c.answer_by, '9999-12-31 00:00Z'), c.conversation_id) > (%(after_due)s, %(after_conversation)s)
ORDER BY coalesce(c.answer_by, '9999-12-31 00:00Z'), c.conversation_id
LIMIT %(rows_max)s
