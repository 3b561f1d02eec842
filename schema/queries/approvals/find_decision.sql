-- Find the decision that a message carries. Takes tenant, conversation, message_id. Returns approval_id, state, decided_by, reason (may be
-- sealed); no row for any other message: nobody can claim a decision by an id.
SELECT approval_id, state, decided_by, with_key(tenant_id, conversation_id, reason) AS reason FROM approval
WHERE tenant_id = %(tenant)s AND conversation_id = %(conversation)s AND decision_message = %(message_id)s
    AND state IN ('approved', 'rejected', 'expired')
