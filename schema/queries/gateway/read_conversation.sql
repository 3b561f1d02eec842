-- Read how a conversation stands. Takes tenant, conversation. Returns one row, or none when there is no such conversation.
SELECT
    owner, version, last_agent, last_position AS accepted, last_position - done_position AS waiting, last_sequence AS replies,
    last_item, created_at, updated_at
FROM conversation
WHERE tenant_id = %(tenant)s AND conversation_id = %(conversation)s
