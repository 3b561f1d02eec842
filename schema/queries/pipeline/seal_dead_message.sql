-- Seal a message that died in the inbox as its dead letter is. Takes tenant, message_id, payload.
UPDATE inbox SET payload = %(payload)s WHERE tenant_id = %(tenant)s AND message_id = %(message_id)s AND state = 'dead'
