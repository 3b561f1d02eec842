-- Find one flight of a day of the transaction's tenant. Takes flight_number, flight_date.
-- Returns one row with its fares as a JSON array, or no row.
SELECT * FROM scheduled_flight f
WHERE f.tenant_id = current_setting('fte.tenant') AND f.flight_number = %(flight_number)s
    AND f.flight_date = %(flight_date)s
