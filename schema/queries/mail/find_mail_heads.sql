-- Find what is known of mails that came in. Takes tenant, conversation, message_ids (array). Returns message_id, head (sealed).
SELECT message_id, with_key(tenant_id, conversation_id, head) AS head FROM mail_message
WHERE tenant_id = %(tenant)s AND message_id = ANY (%(message_ids)s::text[]) AND conversation_id = %(conversation)s
    AND direction = 'in' AND head IS NOT NULL
