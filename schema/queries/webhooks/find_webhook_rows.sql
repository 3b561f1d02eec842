-- Find outbox rows that were not turned into webhook events yet. Takes tenant, conversation, last_ordinal, rows_max.
-- Returns ordinal, kind, entry_id, body, created_at, in order; none from before the tenant's first target was
-- added, and no reply that a takeover kept from leaving.
SELECT o.ordinal, o.kind, o.entry_id, with_key(o.tenant_id, o.conversation_id, o.body) AS body, o.created_at FROM outbox o
WHERE o.tenant_id = %(tenant)s AND o.conversation_id = %(conversation)s AND o.ordinal > %(last_ordinal)s
    AND o.withdrawn_at IS NULL
    AND o.created_at >= (SELECT min(t.created_at) FROM webhook_target t WHERE t.tenant_id = %(tenant)s)
ORDER BY o.ordinal LIMIT %(rows_max)s
