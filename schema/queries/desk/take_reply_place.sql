-- Reserve the place of a reply that no turn writes. Takes tenant, conversation. Returns its ordinal and its sequence.
-- Keeps: as take_ordinal.
UPDATE conversation SET last_ordinal = last_ordinal + 1, last_sequence = last_sequence + 1
WHERE tenant_id = %(tenant)s AND conversation_id = %(conversation)s
RETURNING last_ordinal, last_sequence
