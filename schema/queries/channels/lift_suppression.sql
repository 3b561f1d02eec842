-- Lift a suppression. Takes tenant, channel, own_addresses (array: the number, and its messaging service), sender_key, reason.
-- Returns own_address of each that held; no row: none did.
UPDATE channel_suppression SET lifted_at = clock_timestamp(), lifted_reason = %(reason)s
WHERE tenant_id = %(tenant)s AND channel = %(channel)s AND own_address = ANY (%(own_addresses)s::text[])
    AND sender_key = %(sender_key)s AND lifted_at IS NULL
RETURNING own_address
