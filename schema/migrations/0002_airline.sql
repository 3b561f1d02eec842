-- The airline: who flies, on what, in which seat. A tenant that has its own reservation system puts an adapter in its
-- place (worker.tools.backend.AirlineBackend) and leaves these tables empty.

CREATE TABLE airport (
    tenant_id text NOT NULL REFERENCES tenant,
    code text NOT NULL CONSTRAINT airport_code_is_three_letters CHECK (code ~ '^[A-Z]{3}$'),
    city text NOT NULL,
    time_zone text NOT NULL,                     -- IANA
    PRIMARY KEY (tenant_id, code)
);

CREATE TABLE flight (
    tenant_id text NOT NULL,
    flight_number text NOT NULL CONSTRAINT flight_number_is_carrier_and_digits CHECK (flight_number ~ '^[A-Z]{2}[0-9]{1,4}$'),
    origin text NOT NULL,
    destination text NOT NULL,
    departs_at time NOT NULL,                    -- local time of the origin
    arrives_at time NOT NULL,                    -- local time of the destination
    arrives_days_later smallint NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, flight_number),
    FOREIGN KEY (tenant_id, origin) REFERENCES airport,
    FOREIGN KEY (tenant_id, destination) REFERENCES airport,
    CONSTRAINT flight_goes_somewhere CHECK (origin <> destination)
);

CREATE TABLE flight_date (
    tenant_id text NOT NULL,
    flight_number text NOT NULL,
    flight_date date NOT NULL,                   -- local date of departure
    status text NOT NULL CONSTRAINT flight_status_is_known
        CHECK (status IN ('available', 'on_time', 'delayed', 'flying', 'landed', 'cancelled')),
    PRIMARY KEY (tenant_id, flight_number, flight_date),
    FOREIGN KEY (tenant_id, flight_number) REFERENCES flight
);

CREATE TABLE fare (
    tenant_id text NOT NULL,
    flight_number text NOT NULL,
    flight_date date NOT NULL,
    cabin text NOT NULL CONSTRAINT fare_cabin_is_known CHECK (cabin IN ('basic_economy', 'economy', 'business')),
    seats_left integer NOT NULL CONSTRAINT fare_is_never_oversold CHECK (seats_left >= 0),
    price_usd integer NOT NULL CONSTRAINT fare_costs_something CHECK (price_usd > 0),
    PRIMARY KEY (tenant_id, flight_number, flight_date, cabin),
    FOREIGN KEY (tenant_id, flight_number, flight_date) REFERENCES flight_date
);

CREATE TABLE customer (
    tenant_id text NOT NULL REFERENCES tenant,
    customer_id bigint NOT NULL,
    given_name text NOT NULL,
    surname text NOT NULL,
    email text NOT NULL,
    phone text NOT NULL,
    born_on date NOT NULL,
    membership text NOT NULL CONSTRAINT membership_is_known CHECK (membership IN ('regular', 'silver', 'gold')),
    PRIMARY KEY (tenant_id, customer_id)
);

CREATE TABLE payment_method (
    tenant_id text NOT NULL,
    customer_id bigint NOT NULL,
    method_number smallint NOT NULL,
    kind text NOT NULL CONSTRAINT payment_method_is_known CHECK (kind IN ('card', 'gift_card', 'certificate')),
    last_four text CONSTRAINT payment_method_shows_four_digits CHECK (last_four ~ '^[0-9]{4}$'),
    balance_usd integer,
    PRIMARY KEY (tenant_id, customer_id, method_number),
    FOREIGN KEY (tenant_id, customer_id) REFERENCES customer,
    CONSTRAINT payment_method_has_digits_or_a_balance CHECK ((kind = 'card') = (balance_usd IS NULL) AND (kind = 'card') = (last_four IS NOT NULL))
);

-- Statements and quotes name a reservation by its id: the confirmation number opens a booking to whoever has it, so it
-- appears in this one column and nowhere else.
CREATE TABLE reservation (
    tenant_id text NOT NULL,
    reservation_id bigint NOT NULL,
    confirmation_number text NOT NULL CONSTRAINT confirmation_number_is_six_characters CHECK (confirmation_number ~ '^[A-Z0-9]{6}$'),
    customer_id bigint NOT NULL,
    trip_type text NOT NULL CONSTRAINT trip_type_is_known CHECK (trip_type IN ('one_way', 'round_trip')),
    cabin text NOT NULL CONSTRAINT reservation_cabin_is_known CHECK (cabin IN ('basic_economy', 'economy', 'business')),
    checked_bags smallint NOT NULL DEFAULT 0 CONSTRAINT reservation_bags_not_negative CHECK (checked_bags >= 0),
    insured boolean NOT NULL DEFAULT false,
    payments jsonb NOT NULL DEFAULT '[]',        -- [{kind, amount_usd, for}]
    status text NOT NULL DEFAULT 'booked' CONSTRAINT reservation_status_is_known CHECK (status IN ('booked', 'cancelled')),
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, reservation_id),
    CONSTRAINT confirmation_number_names_one_reservation UNIQUE (tenant_id, confirmation_number),
    FOREIGN KEY (tenant_id, customer_id) REFERENCES customer
);
CREATE INDEX reservation_customer ON reservation (tenant_id, customer_id);

CREATE TABLE reservation_segment (
    tenant_id text NOT NULL,
    reservation_id bigint NOT NULL,
    segment_number smallint NOT NULL,            -- 1, 2 … in the order flown
    flight_number text NOT NULL,
    flight_date date NOT NULL,
    PRIMARY KEY (tenant_id, reservation_id, segment_number),
    CONSTRAINT segment_is_booked_once UNIQUE (tenant_id, reservation_id, flight_number, flight_date),
    FOREIGN KEY (tenant_id, reservation_id) REFERENCES reservation,
    FOREIGN KEY (tenant_id, flight_number, flight_date) REFERENCES flight_date
);

CREATE TABLE reservation_passenger (
    tenant_id text NOT NULL,
    reservation_id bigint NOT NULL,
    passenger_number smallint NOT NULL CONSTRAINT reservation_has_at_most_five_passengers CHECK (passenger_number BETWEEN 1 AND 5),
    given_name text NOT NULL,
    surname text NOT NULL,
    born_on date NOT NULL,
    PRIMARY KEY (tenant_id, reservation_id, passenger_number),
    FOREIGN KEY (tenant_id, reservation_id) REFERENCES reservation
);

-- A row is a seat taken: the map itself is a rule (1A to 30F), so a free seat needs no row, and releasing one deletes it.
CREATE TABLE seat (
    tenant_id text NOT NULL,
    flight_number text NOT NULL,
    flight_date date NOT NULL,
    seat_number text NOT NULL CONSTRAINT seat_is_on_the_map CHECK (seat_number ~ '^([1-9]|[12][0-9]|30)[A-F]$'),
    reservation_id bigint NOT NULL,
    passenger_number smallint NOT NULL,
    price_usd integer NOT NULL DEFAULT 0 CONSTRAINT seat_price_not_negative CHECK (price_usd >= 0),
    CONSTRAINT seat_belongs_to_one_passenger PRIMARY KEY (tenant_id, flight_number, flight_date, seat_number),
    CONSTRAINT passenger_has_one_seat_on_a_flight
        UNIQUE (tenant_id, reservation_id, passenger_number, flight_number, flight_date),
    FOREIGN KEY (tenant_id, reservation_id, passenger_number) REFERENCES reservation_passenger,
    FOREIGN KEY (tenant_id, reservation_id, flight_number, flight_date)
        REFERENCES reservation_segment (tenant_id, reservation_id, flight_number, flight_date)
);

DO $$
DECLARE
    v_table text;
BEGIN
    FOREACH v_table IN ARRAY ARRAY['airport', 'flight', 'flight_date', 'fare', 'customer', 'payment_method',
        'reservation', 'reservation_segment', 'reservation_passenger', 'seat']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', v_table);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', v_table);
        EXECUTE format($policy$CREATE POLICY tenant_only ON %I
            USING (tenant_id = current_setting('fte.tenant', true) OR current_setting('fte.tenant', true) = '*')$policy$, v_table);
    END LOOP;
END $$;

-- Move a passenger to a free seat; speaks for the tenant of the transaction. Returns the seat, or nothing when the offer
-- no longer holds: the seat is taken, the passenger sits elsewhere than when it was made, the flight is not open.
-- Two passengers who want one seat at the same time: the primary key lets one through, and the other gets nothing.
CREATE FUNCTION move_to_seat(
    p_reservation bigint, p_passenger smallint, p_flight text, p_date date, p_from_seat text, p_to_seat text,
    p_price_usd integer
) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    v_tenant text := current_setting('fte.tenant');
    v_seat text;
BEGIN
    PERFORM FROM flight_date f JOIN reservation r ON r.tenant_id = f.tenant_id AND r.reservation_id = p_reservation
        WHERE f.tenant_id = v_tenant AND f.flight_number = p_flight AND f.flight_date = p_date
            AND f.status IN ('available', 'on_time', 'delayed') AND r.status = 'booked'
        FOR SHARE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF p_from_seat IS NULL THEN
        INSERT INTO seat (tenant_id, flight_number, flight_date, seat_number, reservation_id, passenger_number, price_usd)
            VALUES (v_tenant, p_flight, p_date, p_to_seat, p_reservation, p_passenger, p_price_usd)
            RETURNING seat_number INTO v_seat;
    ELSE
        UPDATE seat s SET seat_number = p_to_seat, price_usd = s.price_usd + p_price_usd
            WHERE s.tenant_id = v_tenant AND s.flight_number = p_flight AND s.flight_date = p_date
                AND s.seat_number = p_from_seat
                AND s.reservation_id = p_reservation AND s.passenger_number = p_passenger
            RETURNING s.seat_number INTO v_seat;
    END IF;
    IF v_seat IS NOT NULL THEN
        RETURN NEXT v_seat;
    END IF;
EXCEPTION WHEN unique_violation THEN
    RETURN;
END $$;
