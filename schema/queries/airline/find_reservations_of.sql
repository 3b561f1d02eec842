-- Find the reservations of whoever has this e-mail address or phone number on file, in the transaction's tenant. Takes
-- address, reservations_max, delayed_hours_max (how long a delayed flight is believed to be so after it should leave).
-- Returns rows as find_reservation: those still to be flown first, by their next departure; then the newest first.
SELECT b.* FROM booking b
LEFT JOIN LATERAL (
    SELECT min(f.departs_at) AS departs_at
    FROM reservation_segment s
    JOIN scheduled_flight f ON f.tenant_id = s.tenant_id AND f.flight_number = s.flight_number
        AND f.flight_date = s.flight_date
    WHERE s.tenant_id = b.tenant_id AND s.reservation_id = b.reservation_id AND b.status = 'booked'
        AND (f.departs_at > now() AND f.status NOT IN ('flying', 'landed', 'cancelled')
            OR f.status = 'delayed' AND f.departs_at + make_interval(hours => %(delayed_hours_max)s) > now())
) AS coming ON true
WHERE b.tenant_id = current_setting('fte.tenant') AND b.customer_id IN (
    SELECT c.customer_id FROM customer c
    WHERE c.tenant_id = current_setting('fte.tenant') AND (c.email = lower(%(address)s) OR c.phone = %(address)s))
ORDER BY coming.departs_at NULLS LAST, b.created_at DESC, b.reservation_id
LIMIT %(reservations_max)s
