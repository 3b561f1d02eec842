-- What a conversation may do to a booking. Each change speaks for the tenant of the transaction, does all of it or touches
-- nothing, and gives the reservation's new version, or nothing when the offer no longer holds (FT003; taken up in the body,
-- since a block's handlers do not see its declarations fail). Locks are taken in one order, whatever the change:
-- reservation, flight_date, fare (by flight, date and cabin), seat, customer, payment_method.

-- Write a reservation's flights anew, as change_flights is told; the seats on those that go are released.
CREATE FUNCTION replace_segments(p_reservation reservation, p_segments jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM seat t
        WHERE t.tenant_id = p_reservation.tenant_id AND t.reservation_id = p_reservation.reservation_id
            AND (t.flight_number, t.flight_date) NOT IN (SELECT x.flight_number, x.flight_date
                FROM jsonb_to_recordset(p_segments) AS x (flight_number text, flight_date date));
    DELETE FROM reservation_segment s
        WHERE s.tenant_id = p_reservation.tenant_id AND s.reservation_id = p_reservation.reservation_id
            AND (s.flight_number, s.flight_date) NOT IN (SELECT x.flight_number, x.flight_date
                FROM jsonb_to_recordset(p_segments) AS x (flight_number text, flight_date date));
    UPDATE reservation_segment s SET segment_number = -s.segment_number  -- out of the way of the numbers to come
        WHERE s.tenant_id = p_reservation.tenant_id AND s.reservation_id = p_reservation.reservation_id;
    INSERT INTO reservation_segment (tenant_id, reservation_id, segment_number, flight_number, flight_date, price_usd)
        SELECT p_reservation.tenant_id, p_reservation.reservation_id, x.number, x.flight_number, x.flight_date,
            coalesce(f.price_usd, 0)
        FROM ROWS FROM (jsonb_to_recordset(p_segments) AS (flight_number text, flight_date date))
            WITH ORDINALITY AS x (flight_number, flight_date, number)
        LEFT JOIN fare f ON f.tenant_id = p_reservation.tenant_id AND f.flight_number = x.flight_number
            AND f.flight_date = x.flight_date AND f.cabin = p_reservation.cabin
        ON CONFLICT ON CONSTRAINT segment_is_booked_once DO UPDATE SET segment_number = excluded.segment_number;
END $$;

-- Move a passenger to a free seat. The function of the same name with seven arguments stays for workers of the release
-- before this one.
CREATE FUNCTION move_to_seat(
    p_offer reservation_offer, p_passenger smallint, p_flight text, p_date date, p_from_seat text, p_to_seat text,
    p_price_usd integer, p_method_number smallint
) RETURNS SETOF bigint LANGUAGE plpgsql AS $$
DECLARE
    v_reservation reservation;
BEGIN
    v_reservation := take_up_offer(p_offer, 'move_to_seat');
    PERFORM FROM flight_date d
        WHERE d.tenant_id = v_reservation.tenant_id AND d.flight_number = p_flight AND d.flight_date = p_date
            AND d.status IN ('available', 'on_time', 'delayed')
        FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'flight % on % is not open', p_flight, p_date USING ERRCODE = 'FT003';
    END IF;
    -- Both seats in one order: two passengers who want to swap would wait for each other otherwise.
    PERFORM FROM seat s
        WHERE s.tenant_id = v_reservation.tenant_id AND s.flight_number = p_flight AND s.flight_date = p_date
            AND s.seat_number IN (p_from_seat, p_to_seat)
        ORDER BY s.seat_number FOR UPDATE;
    IF p_from_seat IS NULL THEN
        INSERT INTO seat (tenant_id, flight_number, flight_date, seat_number, reservation_id, passenger_number, price_usd)
            SELECT s.tenant_id, s.flight_number, s.flight_date, p_to_seat, s.reservation_id, p_passenger, p_price_usd
            FROM reservation_segment s
            WHERE s.tenant_id = v_reservation.tenant_id AND s.reservation_id = v_reservation.reservation_id
                AND s.flight_number = p_flight AND s.flight_date = p_date;
    ELSE
        UPDATE seat s SET seat_number = p_to_seat, price_usd = s.price_usd + p_price_usd
            WHERE s.tenant_id = v_reservation.tenant_id AND s.flight_number = p_flight AND s.flight_date = p_date
                AND s.seat_number = p_from_seat
                AND s.reservation_id = v_reservation.reservation_id AND s.passenger_number = p_passenger;
    END IF;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'passenger % does not sit in %', p_passenger, p_from_seat USING ERRCODE = 'FT003';
    END IF;
    PERFORM pay(v_reservation, p_method_number, p_price_usd, 'seat');
    RETURN NEXT record_change(p_offer, 'move_to_seat', p_price_usd);
EXCEPTION
    WHEN SQLSTATE 'FT004' THEN RETURN NEXT p_offer.version + 1;
    WHEN SQLSTATE 'FT003' OR unique_violation OR foreign_key_violation THEN RETURN;
END $$;

-- Put other flights in the place of a reservation's: p_segments is the complete new list, [{flight_number, flight_date}]
-- in the order flown. Flights that stay keep their price and seats; the others' seats are released. p_amount_usd is what
-- the new flights cost all passengers now beyond what was paid for the old ones, and p_fee_usd on top. The ledger notes
-- the flights given up with their status: that one was delayed counts for compensation when it has long landed.
CREATE FUNCTION change_flights(
    p_offer reservation_offer, p_segments jsonb, p_amount_usd integer, p_fee_usd integer, p_method_number smallint
) RETURNS SETOF bigint LANGUAGE plpgsql AS $$
DECLARE
    v_reservation reservation;
    v_places jsonb;
    v_fare_usd integer;
BEGIN
    v_reservation := take_up_offer(p_offer, 'change_flights');
    v_fare_usd := fare_of(v_reservation);
    SELECT jsonb_agg(jsonb_build_object(
            'flight_number', flight_number, 'flight_date', flight_date, 'cabin', v_reservation.cabin,
            'places', passengers_of(v_reservation) * CASE WHEN old.segment_number IS NULL THEN 1 ELSE -1 END))
        INTO v_places
        FROM (SELECT * FROM reservation_segment s
                WHERE s.tenant_id = v_reservation.tenant_id
                    AND s.reservation_id = v_reservation.reservation_id) AS old
        FULL JOIN jsonb_to_recordset(p_segments) AS new (flight_number text, flight_date date)
            USING (flight_number, flight_date)
        WHERE old.segment_number IS NULL OR new.flight_number IS NULL;
    IF v_places IS NULL OR jsonb_array_length(p_segments) = 0 OR EXISTS (
        SELECT FROM jsonb_to_recordset(p_segments) AS x (flight_number text, flight_date date)
        GROUP BY x.flight_number, x.flight_date HAVING count(*) > 1)
    THEN
        RAISE EXCEPTION 'no other flights are named, or one twice' USING ERRCODE = 'FT003';
    END IF;
    PERFORM move_places(v_places);
    p_offer.details := coalesce(p_offer.details, '{}') || jsonb_build_object('given_up', (
        SELECT coalesce(jsonb_agg(jsonb_build_object(
            'flight_number', d.flight_number, 'flight_date', d.flight_date, 'status', d.status)), '[]')
        FROM jsonb_to_recordset(v_places) AS x (flight_number text, flight_date date, places integer)
        JOIN flight_date d ON d.tenant_id = v_reservation.tenant_id AND d.flight_number = x.flight_number
            AND d.flight_date = x.flight_date
        WHERE x.places < 0));
    PERFORM replace_segments(v_reservation, p_segments);
    v_fare_usd := fare_of(v_reservation) - v_fare_usd;
    IF v_fare_usd <> p_amount_usd - p_fee_usd THEN
        RAISE EXCEPTION 'the flights cost % dollars more, not %', v_fare_usd, p_amount_usd - p_fee_usd
            USING ERRCODE = 'FT003';
    END IF;
    PERFORM pay(v_reservation, p_method_number, v_fare_usd, 'fare');
    PERFORM pay(v_reservation, p_method_number, p_fee_usd, 'fee');
    RETURN NEXT record_change(p_offer, 'change_flights', p_amount_usd);
EXCEPTION
    WHEN SQLSTATE 'FT004' THEN RETURN NEXT p_offer.version + 1;
    WHEN SQLSTATE 'FT003' OR unique_violation THEN RETURN;
END $$;

-- Move all flights of a reservation to another cabin. p_amount_usd is what it costs all passengers now beyond what was
-- paid. The seats stay.
CREATE FUNCTION change_cabin(
    p_offer reservation_offer, p_cabin text, p_amount_usd integer, p_method_number smallint
) RETURNS SETOF bigint LANGUAGE plpgsql AS $$
DECLARE
    v_reservation reservation;
    v_places jsonb;
    v_fare_usd integer;
BEGIN
    v_reservation := take_up_offer(p_offer, 'change_cabin');
    v_fare_usd := fare_of(v_reservation);
    SELECT jsonb_agg(jsonb_build_object('flight_number', s.flight_number, 'flight_date', s.flight_date,
            'cabin', side.cabin, 'places', side.sign * passengers_of(v_reservation)))
        INTO v_places
        FROM reservation_segment s
        CROSS JOIN (VALUES (v_reservation.cabin, -1), (p_cabin, 1)) AS side (cabin, sign)
        WHERE s.tenant_id = v_reservation.tenant_id AND s.reservation_id = v_reservation.reservation_id;
    IF p_cabin = v_reservation.cabin THEN
        RAISE EXCEPTION 'reservation % is in % already', p_offer.reservation_id, p_cabin USING ERRCODE = 'FT003';
    END IF;
    PERFORM move_places(v_places);
    UPDATE reservation_segment s SET price_usd = f.price_usd
        FROM fare f
        WHERE s.tenant_id = v_reservation.tenant_id AND s.reservation_id = v_reservation.reservation_id
            AND f.tenant_id = s.tenant_id AND f.flight_number = s.flight_number AND f.flight_date = s.flight_date
            AND f.cabin = p_cabin;
    v_fare_usd := fare_of(v_reservation) - v_fare_usd;
    IF v_fare_usd <> p_amount_usd THEN
        RAISE EXCEPTION 'the cabin costs % dollars more, not %', v_fare_usd, p_amount_usd USING ERRCODE = 'FT003';
    END IF;
    UPDATE reservation r SET cabin = p_cabin
        WHERE r.tenant_id = v_reservation.tenant_id AND r.reservation_id = v_reservation.reservation_id;
    PERFORM pay(v_reservation, p_method_number, p_amount_usd, 'fare');
    RETURN NEXT record_change(p_offer, 'change_cabin', p_amount_usd);
EXCEPTION
    WHEN SQLSTATE 'FT004' THEN RETURN NEXT p_offer.version + 1;
    WHEN SQLSTATE 'FT003' OR unique_violation THEN RETURN;
END $$;

-- Cancel a reservation none of whose flights has been flown: seats are released, places given back, and p_refund_usd
-- goes back to the payment methods it came from, to each at most what it paid.
CREATE FUNCTION cancel_reservation(p_offer reservation_offer, p_refund_usd integer) RETURNS SETOF bigint
LANGUAGE plpgsql AS $$
DECLARE
    v_reservation reservation;
    v_places jsonb;
    v_paid record;
    v_left_usd integer := p_refund_usd;
BEGIN
    v_reservation := take_up_offer(p_offer, 'cancel_reservation');
    SELECT jsonb_agg(jsonb_build_object('flight_number', s.flight_number, 'flight_date', s.flight_date,
            'cabin', v_reservation.cabin, 'places', -passengers_of(v_reservation)))
        INTO v_places
        FROM reservation_segment s
        WHERE s.tenant_id = v_reservation.tenant_id AND s.reservation_id = v_reservation.reservation_id;
    PERFORM move_places(v_places);
    DELETE FROM seat t
        WHERE t.tenant_id = v_reservation.tenant_id AND t.reservation_id = v_reservation.reservation_id;
    UPDATE reservation r SET status = 'cancelled'
        WHERE r.tenant_id = v_reservation.tenant_id AND r.reservation_id = v_reservation.reservation_id;
    FOR v_paid IN
        SELECT x.method_number, sum(x.amount_usd)::integer AS amount_usd
        FROM jsonb_to_recordset(v_reservation.payments) AS x (method_number smallint, amount_usd integer)
        GROUP BY x.method_number HAVING sum(x.amount_usd) > 0 ORDER BY x.method_number
    LOOP
        PERFORM pay(v_reservation, v_paid.method_number, -least(v_left_usd, v_paid.amount_usd), 'refund');
        v_left_usd := v_left_usd - least(v_left_usd, v_paid.amount_usd);
    END LOOP;
    IF p_refund_usd < 0 OR v_left_usd <> 0 THEN
        RAISE EXCEPTION '% dollars are more than was paid', p_refund_usd USING ERRCODE = 'FT003';
    END IF;
    RETURN NEXT record_change(p_offer, 'cancel_reservation', -p_refund_usd);
EXCEPTION
    WHEN SQLSTATE 'FT004' THEN RETURN NEXT p_offer.version + 1;
    WHEN SQLSTATE 'FT003' OR unique_violation THEN RETURN;
END $$;

-- Add checked bags to a reservation.
CREATE FUNCTION add_bags(
    p_offer reservation_offer, p_bags integer, p_amount_usd integer, p_method_number smallint
) RETURNS SETOF bigint LANGUAGE plpgsql AS $$
DECLARE
    v_reservation reservation;
BEGIN
    v_reservation := take_up_offer(p_offer, 'add_bags');
    IF p_bags < 1 THEN
        RAISE EXCEPTION 'bags are added, never removed' USING ERRCODE = 'FT003';
    END IF;
    UPDATE reservation r SET checked_bags = r.checked_bags + p_bags
        WHERE r.tenant_id = v_reservation.tenant_id AND r.reservation_id = v_reservation.reservation_id;
    PERFORM pay(v_reservation, p_method_number, p_amount_usd, 'bags');
    RETURN NEXT record_change(p_offer, 'add_bags', p_amount_usd);
EXCEPTION
    WHEN SQLSTATE 'FT004' THEN RETURN NEXT p_offer.version + 1;
    WHEN SQLSTATE 'FT003' OR unique_violation THEN RETURN;
END $$;

-- Correct the name of a passenger; the date of birth says that it is the same person, and stays.
CREATE FUNCTION correct_passenger(
    p_offer reservation_offer, p_passenger smallint, p_given_name text, p_surname text
) RETURNS SETOF bigint LANGUAGE plpgsql AS $$
DECLARE
    v_reservation reservation;
BEGIN
    v_reservation := take_up_offer(p_offer, 'correct_passenger');
    UPDATE reservation_passenger p SET given_name = p_given_name, surname = p_surname
        WHERE p.tenant_id = v_reservation.tenant_id AND p.reservation_id = v_reservation.reservation_id
            AND p.passenger_number = p_passenger;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no passenger %', p_passenger USING ERRCODE = 'FT003';
    END IF;
    RETURN NEXT record_change(p_offer, 'correct_passenger', 0);
EXCEPTION
    WHEN SQLSTATE 'FT004' THEN RETURN NEXT p_offer.version + 1;
    WHEN SQLSTATE 'FT003' OR unique_violation THEN RETURN;
END $$;

-- Give a customer a certificate as compensation, once for a reservation and reason; a cancelled reservation's as well.
CREATE FUNCTION issue_certificate(p_offer reservation_offer, p_amount_usd integer, p_reason text) RETURNS SETOF bigint
LANGUAGE plpgsql AS $$
DECLARE
    v_reservation reservation;
BEGIN
    v_reservation := take_up_offer(p_offer, 'issue_certificate');
    IF p_amount_usd < 1 THEN
        RAISE EXCEPTION 'a certificate has a value' USING ERRCODE = 'FT003';
    END IF;
    p_offer.details := coalesce(p_offer.details, '{}') || jsonb_build_object('reason', p_reason);
    PERFORM FROM customer c  -- one at a time: the next number is counted from the last
        WHERE c.tenant_id = v_reservation.tenant_id AND c.customer_id = v_reservation.customer_id FOR NO KEY UPDATE;
    INSERT INTO payment_method (tenant_id, customer_id, method_number, kind, balance_usd)
        SELECT v_reservation.tenant_id, v_reservation.customer_id, coalesce(max(m.method_number), 0) + 1, 'certificate',
            p_amount_usd
        FROM payment_method m
        WHERE m.tenant_id = v_reservation.tenant_id AND m.customer_id = v_reservation.customer_id;
    RETURN NEXT record_change(p_offer, 'issue_certificate', -p_amount_usd);
EXCEPTION
    WHEN SQLSTATE 'FT004' THEN RETURN NEXT p_offer.version + 1;
    WHEN SQLSTATE 'FT003' OR unique_violation THEN RETURN;
END $$;
