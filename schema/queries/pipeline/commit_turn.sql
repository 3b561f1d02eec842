-- Commit one turn, all or nothing. Takes what the function of that name takes.
-- Keeps: raises FT001 when the conversation moved on since it was read, FT002 when a message is not the next to answer.
SELECT commit_turn(%(tenant)s, %(conversation)s, %(version)s, %(message_ids)s, %(done_position)s, %(state)s,
    %(conversation_row)s, %(turn)s, %(items)s, %(outbox)s)
