-- Take the names of conversations out of the ledger of bookings' changes, which stays whole. Takes tenant, conversations.
-- Returns a row for each. Keeps: a tool call of one conversation is still told from that of another.
UPDATE reservation_change
SET conversation_id = 'erased-' || left(encode(keyed_hash(tenant_id, 'conversation ' || conversation_id), 'hex'), 32)
WHERE tenant_id = %(tenant)s AND conversation_id = ANY (%(conversations)s)
RETURNING 1
