-- Move a passenger to a free seat. Takes reservation_id, version (of the reservation when the offer was made),
-- conversation_id, tool_call_id, details (for the ledger, without personal data), passenger_number, flight_number,
-- flight_date, from_seat or null, to_seat, price_usd (what is due now) and method_number (null where nothing is).
-- Returns one row, or none when the offer no longer holds; a tool call made before gets its row again. Keeps: a seat
-- belongs to one passenger.
SELECT version FROM move_to_seat(
    ROW(%(reservation_id)s, %(version)s, %(conversation_id)s, %(tool_call_id)s, %(details)s)::reservation_offer,
    %(passenger_number)s::smallint, %(flight_number)s, %(flight_date)s::date, %(from_seat)s,
    %(to_seat)s, %(price_usd)s, %(method_number)s::smallint) AS version
