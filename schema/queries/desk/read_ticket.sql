-- Read what was handed to people under a ticket. Takes tenant, ticket_id.
-- Returns one row: the conversation, the escalation as it was published (sealed) and the vault of the sender whose ticket it is
-- (sealed, or null); or no row when the tenant has no such ticket. A ticket of the release before is the first sender's.
SELECT o.conversation_id, with_key(o.tenant_id, o.conversation_id, o.body) AS body,
    with_key(o.tenant_id, o.conversation_id,
        CASE WHEN w.sender_key IS NOT DISTINCT FROM c.sender_key THEN c.vault ELSE p.vault END) AS vault
FROM outbox o
JOIN conversation c ON c.tenant_id = o.tenant_id AND c.conversation_id = o.conversation_id
LEFT JOIN ticket k ON k.tenant_id = o.tenant_id AND k.ticket_id = o.entry_id
CROSS JOIN LATERAL (SELECT coalesce(k.sender_key, c.first_sender_key, c.sender_key) AS sender_key) w
LEFT JOIN conversation_sender p
    ON p.tenant_id = o.tenant_id AND p.conversation_id = o.conversation_id AND p.sender_key = w.sender_key
WHERE o.tenant_id = %(tenant)s AND o.entry_id = %(ticket_id)s AND o.kind = 'escalation' AND o.body <> ''
