-- Turn a switch on again. Takes tenant ('*': of every tenant), kind, name.
-- Returns the row as it was; or none when it was on, by itself or because nobody had turned it off.
DELETE FROM switch s
WHERE s.tenant_id = %(tenant)s AND s.kind = %(kind)s AND s.name = %(name)s
RETURNING s.tenant_id, s.kind, s.name, s.off_by, s.reason, s.off_at, s.off_until
