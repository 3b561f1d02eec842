-- Let a reply wait again of which a message was reported as not delivered. Takes tenant, reply_id, after_seconds.
UPDATE reply_delivery
SET state = 'waiting', finished_at = NULL, next_at = clock_timestamp() + make_interval(secs => %(after_seconds)s), receipt = NULL,
    receipt_code = NULL, receipt_at = NULL
WHERE tenant_id = %(tenant)s AND reply_id = %(reply_id)s AND state = 'sent'
