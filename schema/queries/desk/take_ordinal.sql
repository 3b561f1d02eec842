-- Reserve the next place in a conversation's outbox for a row that no turn writes. Takes tenant, conversation.
-- Returns its ordinal, the newest reply's sequence and the conversation's key (sealed_key; null: none), or no row when there is no
-- such conversation.
-- Keeps: ordinals without gaps, as long as the same transaction adds the row; the conversation is locked until then, and
-- a turn under way does not commit unless the version stayed, so advance it in this transaction as well.
UPDATE conversation SET last_ordinal = last_ordinal + 1
WHERE tenant_id = %(tenant)s AND conversation_id = %(conversation)s
RETURNING last_ordinal, last_sequence,
    (SELECT k.sealed_key FROM conversation_key k
        WHERE k.tenant_id = conversation.tenant_id AND k.conversation_id = conversation.conversation_id) AS sealed_key
