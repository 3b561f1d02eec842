-- Find reservations whose version is not the number of changes that the ledger has of them, for an audit. Takes nothing.
-- Returns reservation_id, version, changes.
SELECT r.reservation_id, r.version, count(c.tool_call_id) AS changes
FROM reservation r
LEFT JOIN reservation_change c ON c.tenant_id = r.tenant_id AND c.reservation_id = r.reservation_id
GROUP BY r.tenant_id, r.reservation_id, r.version
HAVING r.version <> count(c.tool_call_id)
