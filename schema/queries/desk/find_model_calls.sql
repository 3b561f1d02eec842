-- Find what the models did for conversations. Takes tenant, conversations (an array).
-- Returns for each turn, in order: conversation_id, model_calls (an array, as the turn's record holds it).
SELECT t.conversation_id, t.model_calls
FROM turn t
WHERE t.tenant_id = %(tenant)s AND t.conversation_id = ANY (%(conversations)s)
ORDER BY t.conversation_id, t.number
