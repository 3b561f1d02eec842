-- Erase the objects and reasons of what was done in conversations; the entries stay. Takes tenant, conversations, number (of the entry
-- that records the erasure). Returns a row for each. Keeps: the chain, which holds salted hashes alone.
UPDATE audit_detail
SET salt = NULL, object = NULL, conversation_id = NULL, reason = NULL, erased_by = %(number)s
WHERE tenant_id = %(tenant)s AND conversation_id = ANY (%(conversations)s) AND number < %(number)s
RETURNING 1
