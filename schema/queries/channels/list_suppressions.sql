-- List a tenant's suppressions that hold, the newest first. Takes tenant, sender_key (null: of everybody), rows_max.
SELECT channel, own_address, sender_key, reason, since FROM channel_suppression
WHERE tenant_id = %(tenant)s AND sender_key = coalesce(%(sender_key)s::text, sender_key) AND lifted_at IS NULL
ORDER BY since DESC LIMIT %(rows_max)s
