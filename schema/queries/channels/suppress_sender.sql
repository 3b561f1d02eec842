-- Suppress a customer: nothing is sent to them from an address of ours. Takes tenant, channel, own_address, sender_key, reason.
-- Keeps: since when it holds, where it holds already.
INSERT INTO channel_suppression AS s (tenant_id, channel, own_address, sender_key, reason)
VALUES (%(tenant)s, %(channel)s, %(own_address)s, %(sender_key)s, %(reason)s)
ON CONFLICT (tenant_id, channel, own_address, sender_key) DO UPDATE
SET reason = excluded.reason, since = clock_timestamp(), lifted_at = NULL, lifted_reason = NULL
WHERE s.lifted_at IS NOT NULL
