-- Turn a switch off, or say anew who does, why, and until when. Takes tenant ('*': of every tenant), kind, name, by, reason, seconds
-- (until it is on again by itself; null: until somebody turns it on).
-- Returns the row. Keeps: since when it has been off, where it is off already: customers who were told are not told again.
INSERT INTO switch AS s (tenant_id, kind, name, off_by, reason, off_at, off_until)
VALUES (%(tenant)s, %(kind)s, %(name)s, %(by)s, %(reason)s, now(), now() + make_interval(secs => %(seconds)s))
ON CONFLICT (tenant_id, kind, name) DO UPDATE SET
    off_by = excluded.off_by,
    reason = excluded.reason,
    off_at = CASE WHEN s.off_until <= clock_timestamp() THEN excluded.off_at ELSE s.off_at END,
    off_until = excluded.off_until
RETURNING s.tenant_id, s.kind, s.name, s.off_by, s.reason, s.off_at, s.off_until
