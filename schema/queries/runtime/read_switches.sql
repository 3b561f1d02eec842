-- Read what is switched off now, of every tenant that the caller may see. Takes nothing.
-- Returns tenant_id ('*': of every tenant), kind, name, off_by, reason, off_at, off_until (null: until somebody turns it on), in an
-- order that does not change. Keeps: one whose time is over is on; PostgreSQL's clock alone decides that.
SELECT tenant_id, kind, name, off_by, reason, off_at, off_until
FROM switch
WHERE off_until IS NULL OR off_until > clock_timestamp()
ORDER BY tenant_id, kind, name
