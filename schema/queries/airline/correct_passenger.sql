-- Correct a passenger's name. Takes reservation_id, version (of the reservation when the offer was made),
-- conversation_id, tool_call_id, details (for the ledger, without personal data), passenger_number, given_name,
-- surname.
-- Returns one row, or none when the offer no longer holds; a tool call made before gets its row again. Keeps: the
-- passenger, the date of birth and the seats.
SELECT version FROM correct_passenger(
    ROW(%(reservation_id)s, %(version)s, %(conversation_id)s, %(tool_call_id)s, %(details)s)::reservation_offer,
    %(passenger_number)s::smallint, %(given_name)s, %(surname)s) AS version
