-- Lift a legal hold. Takes tenant, subject. Returns subject; no row where it is not held.
DELETE FROM legal_hold WHERE tenant_id = %(tenant)s AND subject = %(subject)s RETURNING subject
