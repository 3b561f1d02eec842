-- Erase a message that died: its row stays, so that its id is never accepted again. Takes tenant, message_id.
UPDATE inbox SET state = 'erased', payload = NULL
WHERE tenant_id = %(tenant)s AND message_id = %(message_id)s AND state = 'dead'
