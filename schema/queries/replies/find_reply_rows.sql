-- Find replies of the outbox that were not taken up for delivery. Takes tenant, conversation, channel, last_ordinal, rows_max.
-- Returns ordinal, entry_id, body (sealed), in order; none from before the conversation had a route,
-- and none that a takeover kept from leaving.
SELECT o.ordinal, o.entry_id, with_key(o.tenant_id, o.conversation_id, o.body) AS body FROM outbox o
WHERE o.tenant_id = %(tenant)s AND o.conversation_id = %(conversation)s AND o.ordinal > %(last_ordinal)s
    AND o.kind = 'reply' AND o.channel = %(channel)s AND o.withdrawn_at IS NULL
    AND o.created_at >= (SELECT min(r.since) FROM conversation_route r
        WHERE r.tenant_id = %(tenant)s AND r.conversation_id = %(conversation)s)
ORDER BY o.ordinal LIMIT %(rows_max)s
