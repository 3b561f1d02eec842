-- List bookings whose first passenger can change seats: flights that all lie ahead and are open. Takes tenant, from_day.
-- Returns in order: confirmation_number, given_name, surname.
SELECT r.confirmation_number, p.given_name, p.surname
FROM reservation r
JOIN reservation_passenger p
    ON p.tenant_id = r.tenant_id AND p.reservation_id = r.reservation_id AND p.passenger_number = 1
WHERE r.tenant_id = %(tenant)s AND r.status = 'booked' AND r.cabin = 'economy'
    AND NOT EXISTS (
        SELECT FROM reservation_segment s
        JOIN flight_date d
            ON d.tenant_id = s.tenant_id AND d.flight_number = s.flight_number AND d.flight_date = s.flight_date
        WHERE s.tenant_id = r.tenant_id AND s.reservation_id = r.reservation_id
            AND (s.flight_date < %(from_day)s OR d.status <> 'available'))
    AND (SELECT count(*) FROM reservation_segment s
        WHERE s.tenant_id = r.tenant_id AND s.reservation_id = r.reservation_id) = 1
    AND (SELECT count(*) FROM reservation_passenger s
        WHERE s.tenant_id = r.tenant_id AND s.reservation_id = r.reservation_id) = 1
ORDER BY r.reservation_id
