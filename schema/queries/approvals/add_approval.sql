-- Ask for a person's yes to a change. Takes tenant, approval_id, conversation, position, kind, amount_usd, policy, details (sealed),
-- expires_at. Keeps: the same is asked for once.
INSERT INTO approval (tenant_id, approval_id, conversation_id, position, kind, amount_usd, policy, details, expires_at)
VALUES (%(tenant)s, %(approval_id)s, %(conversation)s, %(position)s, %(kind)s, %(amount_usd)s, %(policy)s, %(details)s, %(expires_at)s)
ON CONFLICT (tenant_id, approval_id) DO NOTHING
