-- Find a reservation of the transaction's tenant. Takes confirmation_number.
-- Returns one row with its passengers, segments (in the order flown) and seats as JSON arrays, or no row.
SELECT r.reservation_id, r.confirmation_number, r.status, r.cabin, r.trip_type,
    (SELECT jsonb_agg(jsonb_build_object('number', p.passenger_number, 'given_name', p.given_name, 'surname', p.surname)
        ORDER BY p.passenger_number)
        FROM reservation_passenger p
        WHERE p.tenant_id = r.tenant_id AND p.reservation_id = r.reservation_id) AS passengers,
    (SELECT jsonb_agg(jsonb_build_object('flight_number', s.flight_number, 'flight_date', s.flight_date,
            'origin', f.origin, 'destination', f.destination, 'status', d.status,
            'departs_local', to_char(s.flight_date + f.departs_at, 'YYYY-MM-DD HH24:MI'),
            'departs_at', (s.flight_date + f.departs_at) AT TIME ZONE a.time_zone)
        ORDER BY s.segment_number)
        FROM reservation_segment s
        JOIN flight f ON f.tenant_id = s.tenant_id AND f.flight_number = s.flight_number
        JOIN airport a ON a.tenant_id = f.tenant_id AND a.code = f.origin
        JOIN flight_date d ON d.tenant_id = s.tenant_id AND d.flight_number = s.flight_number
            AND d.flight_date = s.flight_date
        WHERE s.tenant_id = r.tenant_id AND s.reservation_id = r.reservation_id) AS segments,
    (SELECT coalesce(jsonb_agg(jsonb_build_object('flight_number', t.flight_number, 'flight_date', t.flight_date,
            'passenger_number', t.passenger_number, 'seat_number', t.seat_number, 'price_usd', t.price_usd)
        ORDER BY t.flight_date, t.passenger_number), '[]')
        FROM seat t
        WHERE t.tenant_id = r.tenant_id AND t.reservation_id = r.reservation_id) AS seats
FROM reservation r
WHERE r.tenant_id = current_setting('fte.tenant') AND r.confirmation_number = %(confirmation_number)s
