-- Read what the episodes of some conversations follow from. Takes tenants and conversations (arrays of the same length).
-- Returns a row each: tenant_id, conversation_id, now, is_waiting (a message has no outcome yet), the newest episode
-- (number to close_reason; null: none), and as JSON what came after
-- it: messages that have an outcome (position, channel, accepted_at, finished_at) and resolutions (position, resolved_at).
SELECT c.tenant_id, c.conversation_id, clock_timestamp() AS now, c.done_position < c.last_position AS is_waiting,
    e.number, e.first_position, e.last_position, e.channel, e.opened_at, e.last_at, e.look_at, e.closed_at,
    e.close_reason,
    (SELECT coalesce(jsonb_agg(jsonb_build_object('position', i.position, 'channel', i.channel,
            'accepted_at', i.accepted_at, 'finished_at', i.finished_at) ORDER BY i.position), '[]')
        FROM inbox i
        WHERE i.tenant_id = c.tenant_id AND i.conversation_id = c.conversation_id AND i.state <> 'accepted'
            AND i.position > coalesce(e.last_position, 0) AND i.position <= c.done_position) AS messages,
    (SELECT coalesce(jsonb_agg(jsonb_build_object('position', r.position, 'resolved_at', r.resolved_at)
            ORDER BY r.position), '[]')
        FROM resolution r
        WHERE r.tenant_id = c.tenant_id AND r.conversation_id = c.conversation_id
            AND r.position >= coalesce(e.last_position, 0)) AS resolutions
FROM unnest(%(tenants)s::text[], %(conversations)s::text[]) AS asked (tenant_id, conversation_id)
JOIN conversation c USING (tenant_id, conversation_id)
LEFT JOIN LATERAL (
    SELECT * FROM episode n
    WHERE n.tenant_id = c.tenant_id AND n.conversation_id = c.conversation_id ORDER BY n.number DESC LIMIT 1) e ON true
