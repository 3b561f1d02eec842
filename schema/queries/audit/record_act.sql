-- Append one act to an audit chain, in the transaction of the act. Takes tenant ('*': what belongs to none), actor, role, address or
-- null, operation, object_kind, before and after (hashes or null), salt, object, conversation or null, reason or null.
-- Returns number. Keeps: the chain's head is locked until the transaction ends, so let it be its last statement.
SELECT append_audit_entry(%(tenant)s, %(actor)s, %(role)s, %(address)s, %(operation)s, %(object_kind)s, %(before)s, %(after)s,
    %(salt)s, %(object)s, %(conversation)s, %(reason)s) AS number
