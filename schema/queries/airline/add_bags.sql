-- Add checked bags to a reservation. Takes reservation_id, version (of the reservation when the offer was made),
-- conversation_id, tool_call_id, details (for the ledger, without personal data), bags (1 or more), amount_usd,
-- method_number (null where nothing is due).
-- Returns one row, or none when the offer no longer holds; a tool call made before gets its row again. Keeps: bags are
-- never removed.
SELECT version FROM add_bags(
    ROW(%(reservation_id)s, %(version)s, %(conversation_id)s, %(tool_call_id)s, %(details)s)::reservation_offer,
    %(bags)s, %(amount_usd)s, %(method_number)s::smallint) AS version
