-- Forget the tool results of a turn: what they found out is no longer so. Takes tenant, message_id.
DELETE FROM tool_journal WHERE tenant_id = %(tenant)s AND message_id = %(message_id)s
