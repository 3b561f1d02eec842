-- Find what stands in a ledger without the turn it comes from: a change of a booking that no turn's tool call and no approval
-- made, a ticket that went out to nobody, the cost of a message that was never accepted. Not of a conversation of which
-- something is past its days or was erased: there nobody can tell. Takes findings_max. Returns ledger, entry.
WITH whole AS (SELECT tenant_id, conversation_id FROM conversation WHERE gone_position = 0)
SELECT g.tenant_id, g.conversation_id, 'reservation_change' AS ledger, g.tool_call_id AS entry
FROM reservation_change g JOIN whole USING (tenant_id, conversation_id)
WHERE NOT EXISTS (
    SELECT FROM turn t WHERE t.tenant_id = g.tenant_id AND t.conversation_id = g.conversation_id
        AND t.tool_calls @> jsonb_build_array(jsonb_build_object('call_id', g.tool_call_id)))
    AND NOT EXISTS (SELECT FROM approval a
        WHERE a.tenant_id = g.tenant_id AND a.approval_id = g.tool_call_id AND a.state = 'applied')
UNION ALL
SELECT k.tenant_id, k.conversation_id, 'ticket', k.ticket_id
FROM ticket k JOIN whole USING (tenant_id, conversation_id)
WHERE NOT EXISTS (SELECT FROM outbox o WHERE o.tenant_id = k.tenant_id AND o.entry_id = k.ticket_id)
UNION ALL
SELECT DISTINCT u.tenant_id, u.conversation_id, 'usage_record', u.message_id
FROM usage_record u
WHERE u.conversation_id <> '' AND NOT EXISTS (SELECT FROM inbox i WHERE i.tenant_id = u.tenant_id AND i.message_id = u.message_id)
    AND NOT EXISTS (SELECT FROM conversation c
        WHERE c.tenant_id = u.tenant_id AND c.conversation_id = u.conversation_id AND c.gone_position > 0)
ORDER BY 1, 2, 3, 4
LIMIT %(findings_max)s
