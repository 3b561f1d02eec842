-- Record how an attempt ended, or what was found out about it later. Takes tenant, reply_id, part, attempt, outcome, code.
UPDATE reply_attempt SET ended_at = clock_timestamp(), outcome = %(outcome)s, code = %(code)s
WHERE tenant_id = %(tenant)s AND reply_id = %(reply_id)s AND part = %(part)s AND number = %(attempt)s
