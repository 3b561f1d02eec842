-- Find the turn that an attempt committed. Takes tenant, conversation, attempt_token.
-- Returns its number, or no row: settles a commit whose outcome is unknown by reading.
SELECT number FROM turn
WHERE tenant_id = %(tenant)s AND conversation_id = %(conversation)s AND attempt_token = %(attempt_token)s
    AND number > %(version)s
