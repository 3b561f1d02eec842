-- List legal holds, oldest first. Takes tenant. Returns subject, reason, placed_by, placed_at.
SELECT subject, reason, placed_by, placed_at FROM legal_hold WHERE tenant_id = %(tenant)s ORDER BY placed_at, subject
