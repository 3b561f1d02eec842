-- Place a legal hold. Takes tenant, subject, reason, by. Returns subject; no row where it is held already.
INSERT INTO legal_hold (tenant_id, subject, reason, placed_by) VALUES (%(tenant)s, %(subject)s, %(reason)s, %(by)s)
ON CONFLICT DO NOTHING
RETURNING subject
