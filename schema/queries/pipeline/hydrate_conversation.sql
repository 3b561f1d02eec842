-- Read what a turn starts from. Takes tenant, conversation, message_id, history_items_max, followers_max, burst_seconds_max.
-- Returns one row: the conversation, the time, the message's own state and how long it has waited, the messages of its
-- channel that wait behind it and came within burst_seconds_max of it, its last items (oldest first), its unpublished outbox
-- rows, the life its tenant's streams are in, the journals of an earlier attempt (model calls, tools); or no row when there is no such
-- conversation.
SELECT
    clock_timestamp() AS read_at,
    c.version, c.owner, c.last_position, c.done_position, c.last_sequence, c.last_ordinal, c.last_agent, c.context, c.vault,
    (SELECT t.stream_life FROM tenant t WHERE t.tenant_id = c.tenant_id) AS stream_life,
    h.state, h.accepted_at, extract(epoch FROM clock_timestamp() - h.accepted_at)::float8 AS waited_seconds,
    (SELECT coalesce(jsonb_agg(to_jsonb(f) ORDER BY f.position), '[]') FROM (
        SELECT i.message_id, i.position, i.payload, extract(epoch FROM i.accepted_at - h.accepted_at) AS seconds_after
        FROM inbox i
        WHERE i.tenant_id = c.tenant_id AND i.conversation_id = c.conversation_id AND i.position > h.position
            AND i.state = 'accepted' AND i.channel = h.channel
            AND i.accepted_at <= h.accepted_at + make_interval(secs => %(burst_seconds_max)s)
        ORDER BY i.position LIMIT %(followers_max)s) f) AS followers,
    (SELECT coalesce(jsonb_agg(s.item ORDER BY s.ordinal), '[]') FROM (
        SELECT ordinal, item FROM session_item
        WHERE tenant_id = c.tenant_id AND conversation_id = c.conversation_id
        ORDER BY ordinal DESC LIMIT %(history_items_max)s) s) AS items,
    (SELECT coalesce(jsonb_agg(to_jsonb(o) ORDER BY o.ordinal), '[]') FROM (
        SELECT ordinal, kind, channel, entry_id, sequence, body FROM outbox
        WHERE tenant_id = c.tenant_id AND conversation_id = c.conversation_id AND published_at IS NULL
        ORDER BY ordinal) o) AS unpublished,
    (SELECT coalesce(jsonb_agg(jsonb_build_object('step', j.step, 'input_hash', j.input_hash, 'response', j.response,
        'model', j.model, 'degraded', j.degraded) ORDER BY j.step), '[]') FROM journal j
        WHERE j.tenant_id = c.tenant_id AND j.message_id = %(message_id)s) AS journal,
    (SELECT coalesce(jsonb_agg(jsonb_build_object('call_id', j.call_id, 'tool', j.tool, 'input_hash', j.input_hash,
        'delta', j.delta, 'age_seconds', extract(epoch FROM clock_timestamp() - j.created_at))), '[]')
        FROM tool_journal j WHERE j.tenant_id = c.tenant_id AND j.message_id = %(message_id)s) AS tools
FROM conversation c
LEFT JOIN inbox h ON h.tenant_id = c.tenant_id AND h.message_id = %(message_id)s AND h.conversation_id = c.conversation_id
WHERE c.tenant_id = %(tenant)s AND c.conversation_id = %(conversation)s
