-- Find what a person's reply needs to know. Takes tenant, conversation, position (of the newest message that the person has seen).
-- Returns one row: the vault (sealed, or null), sealed_key (of the conversation, or null), sender_key, return_address (sealed, or null), the newest reply that went out
-- (sealed, or null), the newest message (message_id, position, payload where it is not taken up yet), answers: the ids of the
-- messages that no reply answered before this act, in order; or no row when there is no such conversation.
SELECT with_key(c.tenant_id, c.conversation_id, c.vault) AS vault, c.sender_key,
    (SELECT k.sealed_key FROM conversation_key k
        WHERE k.tenant_id = c.tenant_id AND k.conversation_id = c.conversation_id) AS sealed_key,
    with_key(c.tenant_id, c.conversation_id, c.return_address) AS return_address,
    (SELECT with_key(o.tenant_id, o.conversation_id, o.body) FROM outbox o WHERE o.tenant_id = c.tenant_id AND o.conversation_id = c.conversation_id AND o.kind = 'reply'
        AND o.body <> '' ORDER BY o.ordinal DESC LIMIT 1) AS last_reply,
    (SELECT jsonb_build_object('message_id', i.message_id, 'position', i.position, 'channel', i.channel,
            'payload', with_key(i.tenant_id, i.conversation_id, i.payload))
        FROM inbox i WHERE i.tenant_id = c.tenant_id AND i.conversation_id = c.conversation_id AND i.position <= %(position)s
        ORDER BY i.position DESC LIMIT 1) AS newest,
    (SELECT coalesce(array_agg(a.message_id ORDER BY a.position), '{}') FROM (
        SELECT i.message_id, i.position FROM inbox i
        WHERE i.tenant_id = c.tenant_id AND i.conversation_id = c.conversation_id AND i.position <= %(position)s
            AND i.position > greatest(
                (SELECT max(d.position) FROM desk_act d
                    WHERE d.tenant_id = c.tenant_id AND d.conversation_id = c.conversation_id AND d.act = 'reply'
                        AND d.version < c.version),
                (SELECT max(j.position) FROM inbox j
                    WHERE j.tenant_id = c.tenant_id AND j.message_id = ANY (
                        SELECT unnest(l.message_ids) FROM (SELECT t.message_ids FROM turn t
                            WHERE t.tenant_id = c.tenant_id AND t.conversation_id = c.conversation_id
                                AND t.outcome IN ('answered', 'refused', 'escalated')
                            ORDER BY t.number DESC LIMIT 1) l)),
                0)
        ORDER BY i.position DESC LIMIT %(messages_max)s) a) AS answers
FROM conversation c
WHERE c.tenant_id = %(tenant)s AND c.conversation_id = %(conversation)s
