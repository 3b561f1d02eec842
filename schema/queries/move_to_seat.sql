-- Move a passenger to a free seat. Takes reservation_id, passenger_number, flight_number, flight_date, from_seat or null,
-- to_seat, price_usd (what is due now).
-- Returns one row, or none when the offer no longer holds. Keeps: a seat belongs to one passenger.
SELECT seat_number
FROM move_to_seat(%(reservation_id)s, %(passenger_number)s::smallint, %(flight_number)s, %(flight_date)s::date, %(from_seat)s,
    %(to_seat)s, %(price_usd)s) AS seat_number
