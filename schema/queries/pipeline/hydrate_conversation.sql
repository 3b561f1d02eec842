-- Read what a turn starts from. Takes tenant, conversation, message_id, sender_key (of who wrote it; null: nobody knows),
-- history_items_max, followers_max, burst_seconds_max, replies_max, recalls_days (how old what is recalled of the sender's earlier
-- conversations may be; null: nothing is).
-- Returns one row: the conversation, its own key (sealed; null: none), the time, the message's own state and how long it has waited, the messages of its
-- channel that wait behind it and came within burst_seconds_max of it, its unpublished outbox rows, the epoch its tenant's streams
-- are in, its tenant's brand (or null) and settings (or null), the journals of an earlier attempt (model calls, tools); or no row when there is no
-- such conversation. Of senders: whose state the conversation holds (held_sender_key; null: it is not said), who it began with,
-- what is put aside for this one (or null), what their newest earlier conversations knew (where this one begins for them), the last items that are theirs or nobody's (oldest first, each with whether it is
-- nobody's), when they were last heard of (heard_at), and where the state is nobody's, newest first, the replies that can tell whose it is (sealed).
SELECT
    clock_timestamp() AS read_at,
    c.version, c.owner, c.last_position, c.done_position, c.last_sequence, c.last_ordinal, c.last_agent,
    context_with_key(c.tenant_id, c.conversation_id, c.context) AS context, with_key(c.tenant_id, c.conversation_id, c.vault) AS vault,
    (SELECT k.sealed_key FROM conversation_key k
        WHERE k.tenant_id = c.tenant_id AND k.conversation_id = c.conversation_id) AS sealed_key,
    c.sender_key AS held_sender_key, c.first_sender_key, c.updated_at AS heard_at,
    (SELECT jsonb_build_object('context', context_with_key(c.tenant_id, c.conversation_id, p.context), 'vault', with_key(c.tenant_id, c.conversation_id, p.vault), 'last_agent', p.last_agent,
        'heard_at', p.parked_at) FROM conversation_sender p
        WHERE p.tenant_id = c.tenant_id AND p.conversation_id = c.conversation_id
            AND p.sender_key = %(sender_key)s AND p.sender_key IS DISTINCT FROM c.sender_key) AS put_aside,
    CASE WHEN c.sender_key IS NULL AND c.version > 0 THEN
        (SELECT coalesce(jsonb_agg(with_key(c.tenant_id, c.conversation_id, r.body) ORDER BY r.ordinal DESC), '[]') FROM (
            SELECT ordinal, body FROM outbox
            WHERE tenant_id = c.tenant_id AND conversation_id = c.conversation_id AND kind = 'reply' AND body <> ''
            ORDER BY ordinal DESC LIMIT %(replies_max)s) r)
    END AS telling_replies,
    CASE WHEN %(recalls_days)s::int IS NOT NULL AND (c.version = 0 OR c.sender_key IS DISTINCT FROM %(sender_key)s) THEN
        (SELECT coalesce(jsonb_agg(to_jsonb(e) ORDER BY e.heard_at DESC), '[]') FROM (
            SELECT context_with_key(c.tenant_id, p.conversation_id, x.context) AS context, with_key(c.tenant_id, p.conversation_id, x.vault) AS vault, x.heard_at,
                (SELECT coalesce(jsonb_agg(jsonb_build_array(k.ticket_id, k.opened_at) ORDER BY k.opened_at DESC), '[]')
                    FROM ticket k WHERE k.tenant_id = c.tenant_id AND k.conversation_id = p.conversation_id
                        AND k.closed_at IS NULL AND k.sender_key = %(sender_key)s) AS tickets
            FROM (SELECT conversation_id FROM person_conversation
                WHERE tenant_id = c.tenant_id AND person_key = %(sender_key)s AND conversation_id <> c.conversation_id
                ORDER BY first_at DESC LIMIT 20) p
            CROSS JOIN LATERAL (
                SELECT o.context, o.vault, o.updated_at AS heard_at FROM conversation o
                WHERE o.tenant_id = c.tenant_id AND o.conversation_id = p.conversation_id AND o.sender_key = %(sender_key)s
                UNION ALL
                SELECT s.context, s.vault, s.parked_at FROM conversation_sender s
                WHERE s.tenant_id = c.tenant_id AND s.conversation_id = p.conversation_id AND s.sender_key = %(sender_key)s) x
            WHERE x.heard_at > clock_timestamp() - make_interval(days => %(recalls_days)s)
            ORDER BY x.heard_at DESC LIMIT 3) e)
    END AS earlier,
    b.stream_life, b.brand,
    (SELECT e.settings FROM tenant_settings e WHERE e.tenant_id = c.tenant_id ORDER BY e.version DESC LIMIT 1) AS tenant_settings,
    h.state, h.accepted_at, extract(epoch FROM clock_timestamp() - h.accepted_at)::float8 AS waited_seconds,
    (SELECT coalesce(jsonb_agg(to_jsonb(f) ORDER BY f.position), '[]') FROM (
        SELECT i.message_id, i.position, i.payload, extract(epoch FROM i.accepted_at - h.accepted_at) AS seconds_after
        FROM inbox i
        WHERE i.tenant_id = c.tenant_id AND i.conversation_id = c.conversation_id AND i.position > h.position
            AND i.state = 'accepted' AND i.channel = h.channel
            AND i.accepted_at <= h.accepted_at + make_interval(secs => %(burst_seconds_max)s)
        ORDER BY i.position LIMIT %(followers_max)s) f) AS followers,
    (SELECT coalesce(jsonb_agg(jsonb_build_array(
        item_with_key(c.tenant_id, c.conversation_id, s.item), s.sender_key IS NULL) ORDER BY s.ordinal), '[]') FROM (
        SELECT ordinal, item, sender_key FROM session_item
        WHERE tenant_id = c.tenant_id AND conversation_id = c.conversation_id
            AND (sender_key = coalesce(%(sender_key)s, c.sender_key) OR sender_key IS NULL)
        ORDER BY ordinal DESC LIMIT %(history_items_max)s) s) AS items,
    (SELECT coalesce(jsonb_agg(to_jsonb(o) ORDER BY o.ordinal), '[]') FROM (
        SELECT ordinal, kind, channel, entry_id, sequence,
            with_key(tenant_id, conversation_id, body) AS body FROM outbox
        WHERE tenant_id = c.tenant_id AND conversation_id = c.conversation_id AND published_at IS NULL
        ORDER BY ordinal) o) AS unpublished,
    (SELECT coalesce(jsonb_agg(jsonb_build_object('step', j.step, 'input_hash', j.input_hash,
        'response', with_key(c.tenant_id, c.conversation_id, j.response),
        'model', j.model, 'degraded', j.degraded) ORDER BY j.step), '[]') FROM journal j
        WHERE j.tenant_id = c.tenant_id AND j.message_id = %(message_id)s) AS journal,
    (SELECT coalesce(jsonb_agg(jsonb_build_object('call_id', j.call_id, 'tool', j.tool, 'input_hash', j.input_hash,
        'delta', with_key(c.tenant_id, c.conversation_id, j.delta), 'age_seconds', extract(epoch FROM clock_timestamp() - j.created_at))), '[]')
        FROM tool_journal j WHERE j.tenant_id = c.tenant_id AND j.message_id = %(message_id)s) AS tools
FROM conversation c
LEFT JOIN tenant b ON b.tenant_id = c.tenant_id
LEFT JOIN inbox h ON h.tenant_id = c.tenant_id AND h.message_id = %(message_id)s AND h.conversation_id = c.conversation_id
WHERE c.tenant_id = %(tenant)s AND c.conversation_id = %(conversation)s
