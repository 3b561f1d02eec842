-- Note what a person needs for a reply to a message that the bot leaves to people. Takes tenant, conversation, version,
-- return_address (sealed: where the message came from), answer_by (counted from the first message that none has answered).
-- Keeps: nothing is noted where the turn cannot commit; the clock of a wait is not set back by later messages.
UPDATE conversation
SET return_address = %(return_address)s,
    answer_by = CASE WHEN owner = 'human' THEN coalesce(answer_by, %(answer_by)s) END,
    overdue_noted_at = CASE WHEN answer_by IS NOT NULL THEN overdue_noted_at END
WHERE tenant_id = %(tenant)s AND conversation_id = %(conversation)s AND version = %(version)s AND owner = 'human'
