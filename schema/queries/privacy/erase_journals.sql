-- Remove what attempts at conversations' messages have journaled. Takes tenant, conversations. Returns removed.
WITH ids AS (
    SELECT message_id FROM inbox WHERE tenant_id = %(tenant)s AND conversation_id = ANY (%(conversations)s)),
calls AS (
    DELETE FROM journal j WHERE j.tenant_id = %(tenant)s AND j.message_id IN (SELECT message_id FROM ids) RETURNING 1),
tools AS (
    DELETE FROM tool_journal j WHERE j.tenant_id = %(tenant)s AND j.message_id IN (SELECT message_id FROM ids) RETURNING 1)
SELECT (SELECT count(*) FROM calls) + (SELECT count(*) FROM tools) AS removed
