-- Record a command of a customer to the channel, once. Takes tenant, message_id, account_id, own_address, sender_key, command.
-- Returns its message_id; no row where it is recorded already.
INSERT INTO channel_command (tenant_id, message_id, account_id, own_address, sender_key, command)
VALUES (%(tenant)s, %(message_id)s, %(account_id)s, %(own_address)s, %(sender_key)s, %(command)s)
ON CONFLICT DO NOTHING
RETURNING message_id
