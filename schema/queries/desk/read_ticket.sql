-- Read what was handed to people under a ticket. Takes tenant, ticket_id.
-- Returns one row: the conversation, the escalation as it was published (sealed) and the conversation's vault (sealed, or
-- null); or no row when the tenant has no such ticket.
SELECT o.conversation_id, o.body, c.vault
FROM outbox o
JOIN conversation c ON c.tenant_id = o.tenant_id AND c.conversation_id = o.conversation_id
WHERE o.tenant_id = %(tenant)s AND o.entry_id = %(ticket_id)s AND o.kind = 'escalation'
