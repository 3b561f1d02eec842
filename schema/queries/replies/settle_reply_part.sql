-- Settle a part after an attempt. Takes tenant, reply_id, part, attempt, state (ready: again; unknown; accepted; failed), provider_id.
-- Keeps: what a later attempt, or the provider's own word, has made of it meanwhile.
UPDATE reply_part
SET state = %(state)s, provider_id = coalesce(%(provider_id)s, provider_id)
WHERE tenant_id = %(tenant)s AND reply_id = %(reply_id)s AND number = %(part)s AND attempts = %(attempt)s
    AND state IN ('sending', 'unknown')
