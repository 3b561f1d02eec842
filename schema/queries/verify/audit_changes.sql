-- Count the changes of bookings that conversations made, for an audit. Takes prefix: how their names begin.
-- Returns conversation_id, changes.
SELECT conversation_id, count(*) AS changes FROM reservation_change
WHERE starts_with(conversation_id, %(prefix)s)
GROUP BY tenant_id, conversation_id
