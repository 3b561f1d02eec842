-- Move all flights of a reservation to another cabin. Takes reservation_id, version (of the reservation when the offer
-- was made), conversation_id, tool_call_id, details (for the ledger, without personal data), cabin, amount_usd (its
-- fares now less the price_usd of the segments, for all passengers; negative: to be paid back), method_number (null
-- where nothing is due).
-- Returns one row, or none when the offer no longer holds; a tool call made before gets its row again. Keeps: no place
-- is sold twice, none is lost.
SELECT version FROM change_cabin(
    ROW(%(reservation_id)s, %(version)s, %(conversation_id)s, %(tool_call_id)s, %(details)s)::reservation_offer,
    %(cabin)s, %(amount_usd)s, %(method_number)s::smallint) AS version
