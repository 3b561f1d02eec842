-- Changes of reservations: the ledger of what was done, what a booking is to those who read it, and the steps that all
-- changes are made of. The changes themselves come with the migration `0010_change_reservations`.
-- Expands only: the release before touches no balance, and writes customers only when it fills an empty tenant, in lower
-- case.

ALTER TABLE reservation
    ADD COLUMN version bigint NOT NULL DEFAULT 0;  -- advances with every change: the fence of an offer

-- payments: [{kind, amount_usd, for, method_number}], a refund with a negative amount. What was paid goes back to where
-- it came from, so each payment says which of the customer's payment methods it was.
UPDATE reservation r SET payments = (
    SELECT jsonb_agg(jsonb_build_object('method_number', (
            SELECT min(m.method_number) FROM payment_method m
            WHERE m.tenant_id = r.tenant_id AND m.customer_id = r.customer_id AND m.kind = p.value ->> 'kind')) || p.value
        ORDER BY p.ordinality)
    FROM jsonb_array_elements(r.payments) WITH ORDINALITY AS p)
    WHERE r.payments <> '[]';
ALTER TABLE payment_method ADD CONSTRAINT payment_method_is_never_overdrawn CHECK (balance_usd >= 0);

-- What each passenger paid for this flight: a change costs the difference to it, not to today's price.
ALTER TABLE reservation_segment
    ADD COLUMN price_usd integer NOT NULL DEFAULT 0 CONSTRAINT segment_price_not_negative CHECK (price_usd >= 0);
UPDATE reservation_segment s SET price_usd = f.price_usd
    FROM reservation r, fare f
    WHERE r.tenant_id = s.tenant_id AND r.reservation_id = s.reservation_id
        AND f.tenant_id = s.tenant_id AND f.flight_number = s.flight_number AND f.flight_date = s.flight_date
        AND f.cabin = r.cabin;

-- A customer is found by what a channel has verified. Lower case in the table instead of lower() in the index: that
-- function may not run before row-level security has judged a row, so the index would not be used.
UPDATE customer SET email = lower(email) WHERE email <> lower(email);
ALTER TABLE customer ADD CONSTRAINT customer_email_is_lower_case CHECK (email = lower(email));
CREATE INDEX customer_email ON customer (tenant_id, email);
CREATE INDEX customer_phone ON customer (tenant_id, phone);
CREATE INDEX flight_route ON flight (tenant_id, origin, destination);

-- The ledger: one row for each change. A tool call's id is unique within its conversation, so it takes effect once.
CREATE TABLE reservation_change (
    tenant_id text NOT NULL,
    conversation_id text NOT NULL,
    tool_call_id text NOT NULL,
    reservation_id bigint NOT NULL,
    version bigint NOT NULL,                     -- of the reservation, after it
    kind text NOT NULL CONSTRAINT reservation_change_is_known CHECK (kind IN ('move_to_seat', 'change_flights',
        'change_cabin', 'cancel_reservation', 'add_bags', 'correct_passenger', 'issue_certificate')),
    amount_usd integer NOT NULL,                 -- paid by the customer; negative: paid back, or given as a certificate
    details jsonb NOT NULL DEFAULT '{}',         -- without personal data
    changed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, conversation_id, tool_call_id),
    CONSTRAINT reservation_change_has_a_version_of_its_own UNIQUE (tenant_id, reservation_id, version),
    FOREIGN KEY (tenant_id, reservation_id) REFERENCES reservation
);
CREATE UNIQUE INDEX reservation_change_one_certificate_for_a_reason
    ON reservation_change (tenant_id, reservation_id, (details ->> 'reason')) WHERE kind = 'issue_certificate';
ALTER TABLE reservation_change ENABLE ROW LEVEL SECURITY;
ALTER TABLE reservation_change FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON reservation_change
    USING (tenant_id = current_setting('fte.tenant', true) OR current_setting('fte.tenant', true) = '*');

-- A flight of a day with its moments and fares. The views run with the reader's rights: row-level security holds.
CREATE VIEW scheduled_flight WITH (security_invoker = true) AS
SELECT d.tenant_id, d.flight_number, d.flight_date, d.status, f.origin, f.destination,
    (d.flight_date + f.departs_at) AT TIME ZONE o.time_zone AS departs_at,
    (d.flight_date + f.arrives_days_later + f.arrives_at) AT TIME ZONE a.time_zone AS arrives_at,
    to_char(d.flight_date + f.departs_at, 'YYYY-MM-DD HH24:MI') AS departs_local,
    to_char(d.flight_date + f.arrives_days_later + f.arrives_at, 'YYYY-MM-DD HH24:MI') AS arrives_local,
    (SELECT coalesce(jsonb_agg(jsonb_build_object('cabin', c.cabin, 'seats_left', c.seats_left, 'price_usd', c.price_usd)
        ORDER BY c.price_usd), '[]')
        FROM fare c
        WHERE c.tenant_id = d.tenant_id AND c.flight_number = d.flight_number AND c.flight_date = d.flight_date) AS fares
FROM flight_date d
JOIN flight f ON f.tenant_id = d.tenant_id AND f.flight_number = d.flight_number
JOIN airport o ON o.tenant_id = f.tenant_id AND o.code = f.origin
JOIN airport a ON a.tenant_id = f.tenant_id AND a.code = f.destination;

-- A reservation with all that belongs to it, as JSON: one row, one round trip.
CREATE VIEW booking WITH (security_invoker = true) AS
SELECT r.tenant_id, r.reservation_id, r.version, r.confirmation_number, r.status, r.trip_type, r.cabin, r.checked_bags,
    r.insured, r.created_at, r.payments, r.customer_id,
    (SELECT jsonb_build_object('customer_id', c.customer_id, 'given_name', c.given_name, 'surname', c.surname,
            'membership', c.membership, 'payment_methods',
            (SELECT coalesce(jsonb_agg(jsonb_build_object('number', m.method_number, 'kind', m.kind,
                    'last_four', m.last_four, 'balance_usd', m.balance_usd) ORDER BY m.method_number), '[]')
                FROM payment_method m WHERE m.tenant_id = c.tenant_id AND m.customer_id = c.customer_id))
        FROM customer c WHERE c.tenant_id = r.tenant_id AND c.customer_id = r.customer_id) AS customer,
    (SELECT jsonb_agg(jsonb_build_object('number', p.passenger_number, 'given_name', p.given_name,
            'surname', p.surname, 'born_on', p.born_on) ORDER BY p.passenger_number)
        FROM reservation_passenger p
        WHERE p.tenant_id = r.tenant_id AND p.reservation_id = r.reservation_id) AS passengers,
    (SELECT jsonb_agg(jsonb_build_object('number', s.segment_number, 'flight_number', s.flight_number,
            'flight_date', s.flight_date, 'origin', f.origin, 'destination', f.destination, 'status', f.status,
            'departs_at', f.departs_at, 'arrives_at', f.arrives_at, 'departs_local', f.departs_local,
            'arrives_local', f.arrives_local, 'price_usd', s.price_usd) ORDER BY s.segment_number)
        FROM reservation_segment s
        JOIN scheduled_flight f ON f.tenant_id = s.tenant_id AND f.flight_number = s.flight_number
            AND f.flight_date = s.flight_date
        WHERE s.tenant_id = r.tenant_id AND s.reservation_id = r.reservation_id) AS segments,
    (SELECT coalesce(jsonb_agg(jsonb_build_object('flight_number', t.flight_number, 'flight_date', t.flight_date,
            'passenger_number', t.passenger_number, 'seat_number', t.seat_number, 'price_usd', t.price_usd)
        ORDER BY t.flight_date, t.flight_number, t.passenger_number), '[]')
        FROM seat t
        WHERE t.tenant_id = r.tenant_id AND t.reservation_id = r.reservation_id) AS seats,
    (SELECT coalesce(-sum(g.amount_usd), 0) FROM reservation_change g
        WHERE g.tenant_id = r.tenant_id AND g.reservation_id = r.reservation_id
            AND g.kind = 'issue_certificate')::integer AS certificates_usd,
    (SELECT max(g.changed_at) FROM reservation_change g
        WHERE g.tenant_id = r.tenant_id AND g.reservation_id = r.reservation_id
            AND g.kind = 'change_flights') AS changed_at,
    (SELECT coalesce(jsonb_agg(x.value ORDER BY g.version), '[]')
        FROM reservation_change g CROSS JOIN jsonb_array_elements(g.details -> 'given_up') AS x
        WHERE g.tenant_id = r.tenant_id AND g.reservation_id = r.reservation_id
            AND g.kind = 'change_flights') AS given_up
FROM reservation r;

-- What every change names: the reservation, its version when the offer was made, and the tool call that takes it up.
CREATE TYPE reservation_offer AS (
    reservation_id bigint, version bigint, conversation_id text, tool_call_id text, details jsonb
);

-- FT003: the offer no longer holds. FT004: this tool call has made its change already, so nothing is left to do.

-- Hold the reservation for the rest of the transaction. Raises FT003 or FT004.
CREATE FUNCTION take_up_offer(p_offer reservation_offer, p_kind text) RETURNS reservation LANGUAGE plpgsql AS $$
DECLARE
    v_tenant text := current_setting('fte.tenant');
    v_reservation reservation;
BEGIN
    SELECT * INTO v_reservation FROM reservation r
        WHERE r.tenant_id = v_tenant AND r.reservation_id = p_offer.reservation_id FOR NO KEY UPDATE;
    PERFORM FROM reservation_change g
        WHERE g.tenant_id = v_tenant AND g.conversation_id = p_offer.conversation_id
            AND g.tool_call_id = p_offer.tool_call_id AND g.reservation_id = p_offer.reservation_id AND g.kind = p_kind;
    IF FOUND THEN
        RAISE EXCEPTION 'tool call % has been applied', p_offer.tool_call_id USING ERRCODE = 'FT004';
    END IF;
    IF v_reservation.version IS DISTINCT FROM p_offer.version THEN
        RAISE EXCEPTION 'reservation % is no longer at version %', p_offer.reservation_id, p_offer.version
            USING ERRCODE = 'FT003';
    END IF;
    IF v_reservation.status = 'cancelled' AND p_kind <> 'issue_certificate' THEN
        RAISE EXCEPTION 'reservation % is cancelled', p_offer.reservation_id USING ERRCODE = 'FT003';
    END IF;
    RETURN v_reservation;
END $$;

-- Write a change down and advance the reservation's version, which it gives. A tool call id that stands for another
-- change is a unique_violation.
CREATE FUNCTION record_change(p_offer reservation_offer, p_kind text, p_amount_usd integer) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    v_tenant text := current_setting('fte.tenant');
BEGIN
    UPDATE reservation r SET version = r.version + 1
        WHERE r.tenant_id = v_tenant AND r.reservation_id = p_offer.reservation_id;
    INSERT INTO reservation_change
        (tenant_id, conversation_id, tool_call_id, reservation_id, version, kind, amount_usd, details)
        VALUES (v_tenant, p_offer.conversation_id, p_offer.tool_call_id, p_offer.reservation_id, p_offer.version + 1,
            p_kind, p_amount_usd, coalesce(p_offer.details, '{}'));
    RETURN p_offer.version + 1;
END $$;

-- Take an amount from one of the customer's payment methods, or give a negative one back to it. Raises FT003 when the
-- customer has no such method, or its balance does not cover the amount.
CREATE FUNCTION pay(p_reservation reservation, p_method_number smallint, p_amount_usd integer, p_for text)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_kind text;
BEGIN
    IF p_amount_usd = 0 THEN
        RETURN;
    END IF;
    UPDATE payment_method m SET balance_usd = m.balance_usd - p_amount_usd  -- a card has none, and keeps it
        WHERE m.tenant_id = p_reservation.tenant_id AND m.customer_id = p_reservation.customer_id
            AND m.method_number = p_method_number AND (m.balance_usd IS NULL OR m.balance_usd >= p_amount_usd)
        RETURNING m.kind INTO v_kind;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'payment method % does not cover % dollars', p_method_number, p_amount_usd
            USING ERRCODE = 'FT003';
    END IF;
    UPDATE reservation r
        SET payments = r.payments || jsonb_build_object(
            'kind', v_kind, 'amount_usd', p_amount_usd, 'for', p_for, 'method_number', p_method_number)
        WHERE r.tenant_id = p_reservation.tenant_id AND r.reservation_id = p_reservation.reservation_id;
END $$;

-- Sell places of flights, or give them back: takes [{flight_number, flight_date, cabin, places}], negative to give back.
-- Raises FT003 where a flight that is sold is not open, one that is given back has been flown, or too few are left.
CREATE FUNCTION move_places(p_places jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_tenant text := current_setting('fte.tenant');
    v_place record;
BEGIN
    FOR v_place IN
        SELECT d.flight_number, d.flight_date, d.status FROM flight_date d
        WHERE d.tenant_id = v_tenant AND (d.flight_number, d.flight_date) IN (
            SELECT x.flight_number, x.flight_date
            FROM jsonb_to_recordset(p_places) AS x (flight_number text, flight_date date))
        ORDER BY d.flight_number, d.flight_date FOR SHARE
    LOOP
        PERFORM FROM jsonb_to_recordset(p_places) AS x (flight_number text, flight_date date, places integer)
            WHERE x.flight_number = v_place.flight_number AND x.flight_date = v_place.flight_date
                AND (v_place.status IN ('flying', 'landed') OR (v_place.status = 'cancelled' AND x.places > 0));
        IF FOUND THEN
            RAISE EXCEPTION 'flight % on % is %', v_place.flight_number, v_place.flight_date, v_place.status
                USING ERRCODE = 'FT003';
        END IF;
    END LOOP;
    FOR v_place IN
        SELECT x.flight_number, x.flight_date, x.cabin, sum(x.places) AS places
        FROM jsonb_to_recordset(p_places) AS x (flight_number text, flight_date date, cabin text, places integer)
        GROUP BY x.flight_number, x.flight_date, x.cabin ORDER BY x.flight_number, x.flight_date, x.cabin
    LOOP
        UPDATE fare f SET seats_left = f.seats_left - v_place.places
            WHERE f.tenant_id = v_tenant AND f.flight_number = v_place.flight_number
                AND f.flight_date = v_place.flight_date AND f.cabin = v_place.cabin AND f.seats_left >= v_place.places;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'flight % on % has no % places in %', v_place.flight_number, v_place.flight_date,
                v_place.places, v_place.cabin USING ERRCODE = 'FT003';
        END IF;
    END LOOP;
END $$;

-- Count a reservation's passengers: each has a place on each flight.
CREATE FUNCTION passengers_of(p_reservation reservation) RETURNS integer LANGUAGE sql STABLE AS $$
    SELECT count(*)::integer FROM reservation_passenger p
    WHERE p.tenant_id = p_reservation.tenant_id AND p.reservation_id = p_reservation.reservation_id
$$;

-- Give what the passengers of a reservation paid for its flights, together.
CREATE FUNCTION fare_of(p_reservation reservation) RETURNS integer LANGUAGE sql STABLE AS $$
    SELECT coalesce(sum(s.price_usd), 0)::integer * passengers_of(p_reservation) FROM reservation_segment s
    WHERE s.tenant_id = p_reservation.tenant_id AND s.reservation_id = p_reservation.reservation_id
$$;
