-- Put other flights in the place of a reservation's. Takes reservation_id, version (of the reservation when the offer
-- was made), conversation_id, tool_call_id, details (for the ledger, without personal data), segments (the complete
-- new list: [{flight_number, flight_date}] in the order flown), amount_usd (the new flights' fares now less the
-- price_usd of the segments they replace, for all passengers, plus fee_usd; negative: to be paid back), fee_usd,
-- method_number (null where amount_usd and fee_usd are 0).
-- Returns one row, or none when the offer no longer holds; a tool call made before gets its row again. Keeps: no place
-- is sold twice, none is lost.
SELECT version FROM change_flights(
    ROW(%(reservation_id)s, %(version)s, %(conversation_id)s, %(tool_call_id)s, %(details)s)::reservation_offer,
    %(segments)s::jsonb, %(amount_usd)s, %(fee_usd)s, %(method_number)s::smallint) AS version
