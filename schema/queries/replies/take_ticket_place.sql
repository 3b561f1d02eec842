-- Reserve the next place in a conversation's outbox for a ticket that no turn opens. Takes tenant, conversation. Returns last_ordinal (its own),
-- last_sequence, last_position, sealed_key (the conversation's; null: none), or no row when there is no such conversation. Keeps: a turn under way starts over, for it relies on ordinals.
UPDATE conversation SET version = version + 1, last_ordinal = last_ordinal + 1
WHERE tenant_id = %(tenant)s AND conversation_id = %(conversation)s
RETURNING last_ordinal, last_sequence, last_position,
    (SELECT k.sealed_key FROM conversation_key k
        WHERE k.tenant_id = conversation.tenant_id AND k.conversation_id = conversation.conversation_id) AS sealed_key
