-- Note by which account, and from which address of ours, a customer is answered in a conversation. Takes tenant, conversation,
-- sender_key, account_id, own_address, own_group (null: none). Keeps: the newest message decides; one that changes nothing writes nothing.
INSERT INTO conversation_route AS r (tenant_id, conversation_id, sender_key, account_id, own_address, own_group)
VALUES (%(tenant)s, %(conversation)s, %(sender_key)s, %(account_id)s, %(own_address)s, %(own_group)s)
ON CONFLICT (tenant_id, conversation_id, sender_key) DO UPDATE
SET account_id = excluded.account_id, own_address = excluded.own_address, own_group = excluded.own_group
WHERE (r.account_id, r.own_address, r.own_group) IS DISTINCT FROM
    (excluded.account_id, excluded.own_address, excluded.own_group)
