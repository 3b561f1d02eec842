-- Find the provider's ids of messages that are known as sent to a customer. Takes tenant, account_id, sender_key, since. Returns provider_id.
SELECT p.provider_id
FROM reply_delivery d JOIN reply_part p USING (tenant_id, reply_id)
WHERE d.tenant_id = %(tenant)s AND d.account_id = %(account_id)s AND d.sender_key = %(sender_key)s
    AND p.provider_id IS NOT NULL AND (d.finished_at IS NULL OR d.finished_at >= %(since)s)
