-- Add an account of a channel. Takes tenant, account_id, channel, settings (JSON), secrets and door_secret (sealed), door_hash (SHA-256 of
-- the SHA-256 of the door secret).
INSERT INTO channel_account (tenant_id, account_id, channel, settings, secrets, door_secret, door_hash)
VALUES (%(tenant)s, %(account_id)s, %(channel)s, %(settings)s, %(secrets)s, %(door_secret)s, %(door_hash)s)
