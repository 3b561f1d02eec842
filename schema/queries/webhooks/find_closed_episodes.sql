-- Find episodes that were closed and not turned into webhook events yet. Takes tenant, conversation, last_episode, rows_max.
-- Returns number, channel, opened_at, closed_at, close_reason, messages, replies, has_ticket, in order; none that was closed
-- before the tenant's first target was added.
SELECT e.number, e.channel, e.opened_at, e.closed_at, e.close_reason,
    e.last_position - e.first_position + 1 AS messages,
    (SELECT count(*) FROM outbox o
        WHERE o.tenant_id = e.tenant_id AND o.conversation_id = e.conversation_id AND o.kind = 'reply'
            AND o.created_at BETWEEN e.opened_at AND e.closed_at) AS replies,
    EXISTS (SELECT FROM ticket k
        WHERE k.tenant_id = e.tenant_id AND k.conversation_id = e.conversation_id
            AND k.opened_at BETWEEN e.opened_at AND e.closed_at) AS has_ticket
FROM episode e
WHERE e.tenant_id = %(tenant)s AND e.conversation_id = %(conversation)s AND e.number > %(last_episode)s
    AND e.closed_at >= (SELECT min(t.created_at) FROM webhook_target t WHERE t.tenant_id = %(tenant)s)
ORDER BY e.number LIMIT %(rows_max)s
