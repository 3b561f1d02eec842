-- Decide an approval, or say why not. Takes what the function of that name takes; that says the rest. Returns `decided`, its details
-- sealed, with their conversation's key.
SELECT CASE WHEN d.decided ? 'details' THEN jsonb_set(d.decided, '{details}',
    to_jsonb(with_key(d.decided ->> 'tenant_id', d.decided ->> 'conversation_id', d.decided ->> 'details'))) ELSE d.decided END AS decided
FROM (SELECT decide_approval(%(tenant)s, %(approval_id)s, %(person)s, %(decision)s, %(reason)s, %(message_id)s) AS decided OFFSET 0) d
