-- Find the seats that somebody has on one flight of the transaction's tenant. Takes flight_number, flight_date.
-- Returns one row per seat; every other seat on the map is free.
SELECT seat_number FROM seat
WHERE tenant_id = current_setting('fte.tenant') AND flight_number = %(flight_number)s AND flight_date = %(flight_date)s
