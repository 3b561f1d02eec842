-- Find a reservation of the transaction's tenant. Takes confirmation_number.
-- Returns one row with its customer as a JSON object and its passengers, segments (in the order flown), seats and
-- payments as JSON arrays, or no row.
SELECT * FROM booking b
WHERE b.tenant_id = current_setting('fte.tenant') AND b.confirmation_number = %(confirmation_number)s
