-- Find what stands in a ledger without the turn it comes from: a change of a booking that no turn's tool call made, a ticket
-- that went out to nobody, the cost of a message that was never accepted. Takes findings_max. Returns ledger, entry.
SELECT g.tenant_id, g.conversation_id, 'reservation_change' AS ledger, g.tool_call_id AS entry
FROM reservation_change g
WHERE NOT EXISTS (
    SELECT FROM turn t WHERE t.tenant_id = g.tenant_id AND t.conversation_id = g.conversation_id
        AND t.tool_calls @> jsonb_build_array(jsonb_build_object('call_id', g.tool_call_id)))
UNION ALL
SELECT k.tenant_id, k.conversation_id, 'ticket', k.ticket_id
FROM ticket k
WHERE NOT EXISTS (SELECT FROM outbox o WHERE o.tenant_id = k.tenant_id AND o.entry_id = k.ticket_id)
UNION ALL
SELECT DISTINCT u.tenant_id, u.conversation_id, 'usage_record', u.message_id
FROM usage_record u
WHERE NOT EXISTS (SELECT FROM inbox i WHERE i.tenant_id = u.tenant_id AND i.message_id = u.message_id)
ORDER BY 1, 2, 3, 4
LIMIT %(findings_max)s
