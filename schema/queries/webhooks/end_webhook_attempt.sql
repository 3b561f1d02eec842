-- Record how an attempt ended. Takes tenant, target_id, event_id, attempt, outcome, status.
UPDATE webhook_attempt SET ended_at = clock_timestamp(), outcome = %(outcome)s, status = %(status)s
WHERE tenant_id = %(tenant)s AND target_id = %(target_id)s AND event_id = %(event_id)s AND number = %(attempt)s
