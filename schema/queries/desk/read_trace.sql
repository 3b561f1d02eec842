-- Read what is known of how a conversation's messages were dealt with. Takes tenant, conversation, turns_max, spans_max.
-- Returns one row: the newest messages (their place, when they came, the state they are in, the turn that answered
-- them and the place of the first message which that turn answered) and the newest spans, each oldest first; or no row when
-- there is no such conversation.
SELECT
    c.owner,
    (SELECT coalesce(jsonb_agg(to_jsonb(m) ORDER BY m.position), '[]') FROM (
        SELECT i.position, i.state, i.channel, i.accepted_at, t.number, t.outcome, t.agent, t.attempts, t.started_at,
            t.committed_at, t.timings, t.model_calls,
            (SELECT min(h.position) FROM inbox h
                WHERE h.tenant_id = i.tenant_id AND h.message_id = ANY (t.message_ids)) AS first_position
        FROM inbox i LEFT JOIN turn t ON t.tenant_id = i.tenant_id AND t.conversation_id = i.conversation_id
            AND i.message_id = ANY (t.message_ids)
        WHERE i.tenant_id = c.tenant_id AND i.conversation_id = c.conversation_id
        ORDER BY i.position DESC LIMIT %(turns_max)s) m) AS messages,
    (SELECT coalesce(jsonb_agg(to_jsonb(s) - 'tenant_id' - 'conversation_id' ORDER BY s.started_at), '[]') FROM (
        SELECT * FROM span s
        WHERE s.tenant_id = c.tenant_id AND s.conversation_id = c.conversation_id
        ORDER BY s.started_at DESC LIMIT %(spans_max)s) s) AS spans
FROM conversation c
WHERE c.tenant_id = %(tenant)s AND c.conversation_id = %(conversation)s
