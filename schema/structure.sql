-- What the migrations add up to; remade by `python -m ops.database.migrate --write-structure`, never edited.

CREATE EXTENSION IF NOT EXISTS vector WITH SCHEMA public;

COMMENT ON EXTENSION vector IS 'vector data type and ivfflat and hnsw access methods';

CREATE TYPE public.reservation_offer AS (
	reservation_id bigint,
	version bigint,
	conversation_id text,
	tool_call_id text,
	details jsonb
);

CREATE FUNCTION public.accept_message(p_tenant text, p_conversation text, p_message text, p_channel text, p_payload text, p_waiting_max bigint) RETURNS TABLE(status text, at_conversation text, at_position bigint, waiting bigint)
    LANGUAGE sql
    AS $$
    SELECT a.status, a.at_conversation, a.at_position, a.waiting
    FROM accept_message(p_tenant, p_conversation, p_message, p_channel, p_payload, p_waiting_max, NULL::text) AS a
$$;

CREATE FUNCTION public.accept_message(p_tenant text, p_conversation text, p_message text, p_channel text, p_payload text, p_waiting_max bigint, p_sender_key text) RETURNS TABLE(status text, at_conversation text, at_position bigint, waiting bigint)
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_last bigint;
    v_done bigint;
BEGIN
    PERFORM set_config('fte.tenant', p_tenant, true);
    SELECT i.conversation_id, i.position INTO at_conversation, at_position
        FROM inbox i WHERE i.tenant_id = p_tenant AND i.message_id = p_message;
    IF FOUND THEN
        status := 'duplicate'; RETURN NEXT; RETURN;
    END IF;
    PERFORM FROM tenant t WHERE t.tenant_id = p_tenant AND t.suspended_at IS NULL;
    IF NOT FOUND THEN
        status := 'unknown_tenant'; RETURN NEXT; RETURN;
    END IF;
    PERFORM FROM accepted_id a
        WHERE a.tenant_id = p_tenant AND a.message_hash = keyed_hash(p_tenant, 'message ' || p_message);
    IF FOUND THEN
        status := 'duplicate'; at_conversation := p_conversation; at_position := 1; RETURN NEXT; RETURN;
    END IF;
    FOR v_try IN 1..10 LOOP  -- again where the conversation was erased between the two statements
        INSERT INTO conversation (tenant_id, conversation_id) VALUES (p_tenant, p_conversation) ON CONFLICT DO NOTHING;
        IF FOUND THEN
            UPDATE conversation c
                SET version = e.version, last_position = e.last_position, done_position = e.last_position,
                    last_sequence = e.last_sequence, last_ordinal = e.last_ordinal, last_item = e.last_item,
                    gone_position = e.last_position, gone_ordinal = e.last_ordinal, gone_sequence = e.last_sequence,
                    first_sender_key = p_sender_key
                FROM erased_conversation e
                WHERE c.tenant_id = p_tenant AND c.conversation_id = p_conversation AND e.tenant_id = p_tenant
                    AND e.conversation_hash = keyed_hash(p_tenant, 'conversation ' || p_conversation);
        END IF;
        SELECT c.last_position, c.done_position INTO v_last, v_done
            FROM conversation c WHERE c.tenant_id = p_tenant AND c.conversation_id = p_conversation FOR NO KEY UPDATE;
        EXIT WHEN FOUND;
    END LOOP;
    waiting := v_last - v_done;
    IF waiting >= p_waiting_max THEN
        status := 'full'; at_conversation := p_conversation; at_position := v_last; RETURN NEXT; RETURN;
    END IF;
    INSERT INTO inbox (tenant_id, message_id, conversation_id, position, channel, payload, sender_key)
        VALUES (p_tenant, p_message, p_conversation, v_last + 1, p_channel, p_payload, p_sender_key) ON CONFLICT DO NOTHING;
    IF FOUND THEN
        UPDATE conversation c
            SET last_position = v_last + 1,
                first_sender_key = CASE WHEN v_last = 0 THEN p_sender_key ELSE c.first_sender_key END
            WHERE c.tenant_id = p_tenant AND c.conversation_id = p_conversation;
        status := 'accepted'; at_conversation := p_conversation; at_position := v_last + 1;
    ELSE  -- another sender was quicker with the same message id
        SELECT i.conversation_id, i.position INTO STRICT at_conversation, at_position
            FROM inbox i WHERE i.tenant_id = p_tenant AND i.message_id = p_message;
        status := 'duplicate';
    END IF;
    RETURN NEXT;
END $$;

CREATE FUNCTION public.accept_proven_message(p_tenant text, p_conversation text, p_message text, p_channel text, p_payload text, p_waiting_max bigint, p_sender_key text) RETURNS TABLE(status text, at_conversation text, at_position bigint, waiting bigint)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
BEGIN
    IF proven_tenant() = p_tenant THEN
        RETURN QUERY SELECT a.status, a.at_conversation, a.at_position, a.waiting
            FROM accept_message(p_tenant, p_conversation, p_message, p_channel, p_payload, p_waiting_max, p_sender_key) AS a;
    ELSE
        status := 'unknown_tenant'; RETURN NEXT;
    END IF;
END $$;

CREATE FUNCTION public.add_bags(p_offer public.reservation_offer, p_bags integer, p_amount_usd integer, p_method_number smallint) RETURNS SETOF bigint
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.append_audit_entry(p_tenant text, p_actor text, p_role text, p_address text, p_operation text, p_object_kind text, p_before bytea, p_after bytea, p_salt bytea, p_object text, p_conversation text, p_reason text) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_number bigint;
    v_prior bytea;
    v_at timestamptz;
    v_detail bytea := sha256(p_salt || audit_fields(p_object, p_conversation, p_reason));
    v_hash bytea;
BEGIN
    INSERT INTO audit_chain (tenant_id) VALUES (p_tenant) ON CONFLICT DO NOTHING;
    SELECT c.entries + 1, c.head_hash INTO STRICT v_number, v_prior
        FROM audit_chain c WHERE c.tenant_id = p_tenant FOR NO KEY UPDATE;
    v_at := clock_timestamp();
    v_hash := sha256(audit_fields('fte audit 1', p_tenant, v_number::text,
        to_char(v_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), p_actor, p_role, p_address, p_operation, p_object_kind,
        encode(p_before, 'hex'), encode(p_after, 'hex'), encode(v_detail, 'hex'), encode(v_prior, 'hex')));
    INSERT INTO audit_entry (tenant_id, number, at, actor, role, address, operation, object_kind, before_hash, after_hash,
            detail_hash, prior_hash, hash)
        VALUES (p_tenant, v_number, v_at, p_actor, p_role, p_address, p_operation, p_object_kind, p_before, p_after,
            v_detail, v_prior, v_hash);
    INSERT INTO audit_detail (tenant_id, number, salt, object, conversation_id, reason)
        VALUES (p_tenant, v_number, p_salt, p_object, p_conversation, p_reason);
    UPDATE audit_chain c SET entries = v_number, head_hash = v_hash WHERE c.tenant_id = p_tenant;
    RETURN v_number;
END $$;

CREATE FUNCTION public.audit_fields(VARIADIC p_fields text[]) RETURNS bytea
    LANGUAGE sql IMMUTABLE
    AS $$
    SELECT convert_to(string_agg(coalesce(octet_length(convert_to(f.value, 'UTF8')) || ':' || f.value, '-') || ',', '' ORDER BY f.place), 'UTF8')
    FROM unnest(p_fields) WITH ORDINALITY AS f (value, place)
$$;

CREATE FUNCTION public.backfill_people(p_tenant text, p_after text, p_conversations_max integer) RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_page text[];
BEGIN
    v_page := ARRAY(SELECT c.conversation_id FROM conversation c
        WHERE c.tenant_id = p_tenant AND c.conversation_id > p_after
        ORDER BY c.conversation_id LIMIT p_conversations_max);
    INSERT INTO person_conversation (tenant_id, person_key, conversation_id)
        SELECT p_tenant, f.person_key, f.conversation_id FROM (
            SELECT i.sender_key, i.conversation_id FROM inbox i
                WHERE i.tenant_id = p_tenant AND i.conversation_id = ANY (v_page)
            UNION SELECT c.first_sender_key, c.conversation_id FROM conversation c
                WHERE c.tenant_id = p_tenant AND c.conversation_id = ANY (v_page)
            UNION SELECT c.sender_key, c.conversation_id FROM conversation c
                WHERE c.tenant_id = p_tenant AND c.conversation_id = ANY (v_page)
            UNION SELECT split_part(s.sender_key, '.', 1), s.conversation_id FROM conversation_sender s
                WHERE s.tenant_id = p_tenant AND s.conversation_id = ANY (v_page)
        ) AS f (person_key, conversation_id)
        WHERE f.person_key <> ''
        ORDER BY 2, 3
        ON CONFLICT DO NOTHING;
    RETURN v_page[cardinality(v_page)];
END $$;

CREATE FUNCTION public.cancel_reservation(p_offer public.reservation_offer, p_refund_usd integer) RETURNS SETOF bigint
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.change_cabin(p_offer public.reservation_offer, p_cabin text, p_amount_usd integer, p_method_number smallint) RETURNS SETOF bigint
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.change_flights(p_offer public.reservation_offer, p_segments jsonb, p_amount_usd integer, p_fee_usd integer, p_method_number smallint) RETURNS SETOF bigint
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.change_tenant_settings(p_tenant text, p_settings jsonb, p_version bigint, p_by text, p_reason text, p_restores bigint) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_version bigint;
BEGIN
    PERFORM FROM tenant t WHERE t.tenant_id = p_tenant FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    SELECT coalesce(max(s.version), 0) INTO v_version FROM tenant_settings s WHERE s.tenant_id = p_tenant;
    IF v_version <> p_version THEN
        RETURN NULL;
    END IF;
    INSERT INTO tenant_settings (tenant_id, version, settings, changed_by, reason, restores)
        VALUES (p_tenant, v_version + 1, p_settings, p_by, p_reason, p_restores);
    UPDATE tenant t SET brand = p_settings ->> 'brand' WHERE t.tenant_id = p_tenant;
    RETURN v_version + 1;
END $$;

CREATE FUNCTION public.commit_turn(p_tenant text, p_conversation text, p_version bigint, p_message_ids text[], p_done_position bigint, p_state text, p_conversation_row jsonb, p_turn jsonb, p_items jsonb, p_outbox jsonb) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_item bigint;
    v_last bigint;
    v_done bigint;
    v_moved integer;
    v_says boolean := p_conversation_row ? 'sender_key';
    v_sender text := p_conversation_row ->> 'sender_key';
    v_held text := p_conversation_row ->> 'held_sender_key';
    v_switches boolean;
    v_wrote text := p_conversation_row ->> 'message_sender_key';
    v_items_of text := v_sender;
    v_gone text;
BEGIN
    IF (p_conversation_row ->> 'sender_is_new')::boolean THEN
        v_gone := v_sender || '.' || p_version;  -- no sender key is like that: nobody finds what it says any more
        UPDATE session_item s SET sender_key = v_gone
            FROM conversation c
            WHERE s.tenant_id = p_tenant AND s.conversation_id = p_conversation
                AND c.tenant_id = p_tenant AND c.conversation_id = p_conversation
                AND coalesce(s.sender_key, c.first_sender_key, p_conversation_row ->> 'first_sender_key') = v_sender;
        UPDATE ticket k SET sender_key = v_gone
            FROM conversation c
            WHERE k.tenant_id = p_tenant AND k.conversation_id = p_conversation
                AND c.tenant_id = p_tenant AND c.conversation_id = p_conversation
                AND coalesce(k.sender_key, c.first_sender_key, p_conversation_row ->> 'first_sender_key') = v_sender;
        UPDATE conversation_sender p SET sender_key = v_gone
            WHERE p.tenant_id = p_tenant AND p.conversation_id = p_conversation AND p.sender_key = v_sender;
        IF v_held = v_sender THEN
            v_held := v_gone;
        END IF;
    END IF;
    v_switches := v_says AND v_sender IS DISTINCT FROM v_held;
    IF v_switches AND v_held IS NOT NULL THEN
        INSERT INTO conversation_sender (tenant_id, conversation_id, sender_key, context, vault, last_agent)
            SELECT p_tenant, p_conversation, v_held, c.context, c.vault, c.last_agent
            FROM conversation c
            WHERE c.tenant_id = p_tenant AND c.conversation_id = p_conversation AND c.version = p_version
            ON CONFLICT (tenant_id, conversation_id, sender_key) DO UPDATE
                SET context = excluded.context, vault = excluded.vault, last_agent = excluded.last_agent, parked_at = now();
    END IF;
    IF NOT v_says THEN
        SELECT CASE WHEN count(*) = count(i.sender_key) AND count(DISTINCT i.sender_key) = 1 THEN min(i.sender_key) END
            INTO v_wrote
            FROM inbox i
            WHERE i.tenant_id = p_tenant AND i.message_id = ANY (p_message_ids) AND i.conversation_id = p_conversation;
        SELECT c.sender_key INTO v_held
            FROM conversation c WHERE c.tenant_id = p_tenant AND c.conversation_id = p_conversation;
        v_sender := CASE WHEN p_version = 0 OR v_held = v_wrote THEN v_wrote END;
        v_items_of := CASE WHEN v_sender IS NULL AND v_held <> v_wrote THEN '' ELSE v_sender END;
    END IF;
    UPDATE conversation c
        SET version = c.version + 1,
            done_position = p_done_position,
            last_sequence = coalesce((p_conversation_row ->> 'last_sequence')::bigint, c.last_sequence),
            last_ordinal = c.last_ordinal + jsonb_array_length(p_outbox),
            last_item = c.last_item + jsonb_array_length(p_items),
            last_agent = coalesce(p_conversation_row ->> 'last_agent', CASE WHEN NOT v_switches THEN c.last_agent END),
            context = coalesce(p_conversation_row -> 'context', c.context),
            vault = coalesce(p_conversation_row ->> 'vault', CASE WHEN NOT v_switches THEN c.vault END),
            sender_key = v_sender,
            first_sender_key = coalesce(c.first_sender_key, p_conversation_row ->> 'first_sender_key'),
            updated_at = clock_timestamp()
        WHERE c.tenant_id = p_tenant AND c.conversation_id = p_conversation AND c.version = p_version
        RETURNING c.last_item - jsonb_array_length(p_items), c.last_position INTO v_item, v_last;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'conversation % is no longer at version %', p_conversation, p_version USING ERRCODE = 'FT001';
    END IF;
    IF v_last > (p_conversation_row ->> 'seen_position')::bigint THEN
        RAISE EXCEPTION 'conversation %: message % came while % was answered', p_conversation, v_last,
            p_conversation_row ->> 'seen_position' USING ERRCODE = 'FT005';
    END IF;
    UPDATE inbox i
        SET state = p_state, finished_at = clock_timestamp(),
            payload = CASE WHEN p_state = 'dead' THEN i.payload END,
            sender_key = coalesce(i.sender_key, v_wrote)
        WHERE i.tenant_id = p_tenant AND i.message_id = ANY (p_message_ids) AND i.conversation_id = p_conversation
            AND i.state = 'accepted' AND i.position <= p_done_position;
    GET DIAGNOSTICS v_moved = ROW_COUNT;
    SELECT count(*) INTO v_done FROM inbox i
        WHERE i.tenant_id = p_tenant AND i.conversation_id = p_conversation AND i.state = 'accepted'
            AND i.position <= p_done_position;
    IF v_moved <> cardinality(p_message_ids) OR v_done > 0 THEN
        RAISE EXCEPTION 'conversation %: % of % messages were open, % earlier ones are', p_conversation, v_moved,
            cardinality(p_message_ids), v_done USING ERRCODE = 'FT002';
    END IF;
    INSERT INTO session_item (tenant_id, conversation_id, ordinal, turn, item, sender_key)
        SELECT p_tenant, p_conversation, v_item + e.ordinality, p_version + 1, e.value, v_items_of
        FROM jsonb_array_elements(p_items) WITH ORDINALITY AS e (value, ordinality);
    INSERT INTO outbox (tenant_id, conversation_id, ordinal, kind, channel, entry_id, sequence, body)
        SELECT p_tenant, p_conversation, o.ordinal, o.kind, o.channel, o.entry_id, o.sequence, o.body
        FROM jsonb_to_recordset(p_outbox)
            AS o (ordinal bigint, kind text, channel text, entry_id text, sequence bigint, body text);
    INSERT INTO turn (tenant_id, conversation_id, number, message_ids, outcome, agent, attempts,
            started_at, timings, model_calls, tool_calls, verdicts)
        SELECT p_tenant, p_conversation, p_version + 1, p_message_ids, t.outcome, t.agent, t.attempts,
            t.started_at, t.timings, t.model_calls, coalesce(t.tool_calls, '[]'), t.verdicts
        FROM jsonb_to_record(p_turn) AS t (outcome text, agent text, attempts integer,
            started_at timestamptz, timings jsonb, model_calls jsonb, tool_calls jsonb, verdicts jsonb);
    DELETE FROM journal j WHERE j.tenant_id = p_tenant AND j.message_id = ANY (p_message_ids);
    DELETE FROM tool_journal j WHERE j.tenant_id = p_tenant AND j.message_id = ANY (p_message_ids);
END $$;

CREATE FUNCTION public.context_with_key(p_tenant text, p_conversation text, p_context jsonb) RETURNS jsonb
    LANGUAGE sql STABLE
    AS $$
    SELECT CASE WHEN p_context ? 'sealed' THEN (
        SELECT jsonb_object_agg(f.key, CASE jsonb_typeof(f.value)
            WHEN 'string' THEN to_jsonb(with_key(p_tenant, p_conversation, f.value #>> '{}')) ELSE f.value END)
        FROM jsonb_each(p_context) f) ELSE p_context END
$$;

CREATE FUNCTION public.correct_passenger(p_offer public.reservation_offer, p_passenger smallint, p_given_name text, p_surname text) RETURNS SETOF bigint
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.count_backlog(p_messages_max bigint, p_proofs text[]) RETURNS TABLE(of_tenant text, waiting bigint)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
DECLARE
    v_scope text := coalesce(current_setting('fte.tenant', true), '');
BEGIN
    PERFORM set_config('fte.tenant', '*', true);
    RETURN QUERY
        SELECT n.name, sum(n.messages)::bigint
        FROM (SELECT CASE WHEN proof_of_tenant(w.tenant_id) = ANY (p_proofs) THEN w.tenant_id END AS name, w.messages
            FROM (SELECT f.tenant_id, count(*) AS messages
                FROM (SELECT i.tenant_id FROM inbox i WHERE i.state = 'accepted' LIMIT p_messages_max) f
                GROUP BY f.tenant_id) w) n
        GROUP BY n.name;
    PERFORM set_config('fte.tenant', v_scope, true);
END $$;

CREATE FUNCTION public.count_guess(p_tenant text, p_sender text, p_booking text, p_is_right boolean, p_sender_max integer, p_booking_max integer) RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_day date := (clock_timestamp() AT TIME ZONE 'UTC')::date;
    v_refused_by text;
BEGIN
    IF NOT p_is_right THEN
        -- In the order of their keys, here and below: two that guess at once wait for each other instead of deadlocking.
        INSERT INTO guess (tenant_id, day, subject, guesses)
            SELECT p_tenant, v_day, s.subject, 0 FROM unnest(ARRAY[p_sender, p_booking]) AS s (subject)
            WHERE s.subject IS NOT NULL ORDER BY s.subject
            ON CONFLICT DO NOTHING;
        PERFORM FROM guess g
            WHERE g.tenant_id = p_tenant AND g.day = v_day AND g.subject IN (p_sender, p_booking)
            ORDER BY g.subject FOR UPDATE;
    END IF;
    SELECT CASE WHEN g.subject = p_sender THEN 'sender' ELSE 'booking' END INTO v_refused_by
        FROM guess g
        WHERE g.tenant_id = p_tenant AND g.day = v_day
            AND ((g.subject = p_sender AND g.guesses >= p_sender_max) OR (g.subject = p_booking AND g.guesses >= p_booking_max))
        LIMIT 1;
    IF v_refused_by IS NULL AND NOT p_is_right THEN
        UPDATE guess g SET guesses = g.guesses + 1
            WHERE g.tenant_id = p_tenant AND g.day = v_day AND g.subject IN (p_sender, p_booking);
    END IF;
    RETURN v_refused_by;
END $$;

CREATE FUNCTION public.decide_approval(p_tenant text, p_approval text, p_person text, p_decision text, p_reason text, p_message text) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_row approval;
    v_owner text;
BEGIN
    SELECT * INTO v_row FROM approval a WHERE a.tenant_id = p_tenant AND a.approval_id = p_approval;
    IF NOT FOUND THEN
        RETURN jsonb_build_object('outcome', 'unknown');
    END IF;
    SELECT c.owner INTO v_owner FROM conversation c
        WHERE c.tenant_id = p_tenant AND c.conversation_id = v_row.conversation_id FOR NO KEY UPDATE;
    SELECT * INTO v_row FROM approval a WHERE a.tenant_id = p_tenant AND a.approval_id = p_approval FOR UPDATE;
    IF v_row.state <> 'waiting' THEN
        RETURN to_jsonb(v_row) || jsonb_build_object('outcome', 'decided');
    END IF;
    IF v_owner = 'human' THEN
        RETURN to_jsonb(v_row) || jsonb_build_object('outcome', 'human');
    END IF;
    IF (v_row.expires_at <= clock_timestamp()) <> (p_decision = 'expired') THEN
        RETURN to_jsonb(v_row) || jsonb_build_object('outcome', 'expired');
    END IF;
    IF EXISTS (SELECT FROM desk_act d WHERE d.tenant_id = p_tenant AND d.conversation_id = v_row.conversation_id
        AND d.act = 'reply' AND d.by_person = p_person)
    THEN
        RETURN to_jsonb(v_row) || jsonb_build_object('outcome', 'own');
    END IF;
    UPDATE approval a
        SET state = p_decision, decided_at = clock_timestamp(), decided_by = p_person, reason = p_reason,
            decision_message = p_message
        WHERE a.tenant_id = p_tenant AND a.approval_id = p_approval
        RETURNING * INTO v_row;
    RETURN to_jsonb(v_row) || jsonb_build_object('outcome', 'done');
END $$;

CREATE TABLE public.conversation (
    tenant_id text NOT NULL,
    conversation_id text NOT NULL,
    version bigint DEFAULT 0 NOT NULL,
    owner text DEFAULT 'bot'::text NOT NULL,
    last_position bigint DEFAULT 0 NOT NULL,
    done_position bigint DEFAULT 0 NOT NULL,
    last_sequence bigint DEFAULT 0 NOT NULL,
    last_ordinal bigint DEFAULT 0 NOT NULL,
    last_item bigint DEFAULT 0 NOT NULL,
    last_agent text,
    context jsonb DEFAULT '{}'::jsonb NOT NULL,
    vault text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    first_sender_key text,
    sender_key text,
    desk_state text DEFAULT 'bot'::text NOT NULL,
    desk_version bigint DEFAULT 0 NOT NULL,
    claimed_by text,
    claimed_until timestamp with time zone,
    waiting_since timestamp with time zone,
    answer_by timestamp with time zone,
    overdue_noted_at timestamp with time zone,
    snoozed_until timestamp with time zone,
    resolved_at timestamp with time zone,
    taken_ordinal bigint DEFAULT 0 NOT NULL,
    return_address text,
    gone_position bigint DEFAULT 0 NOT NULL,
    gone_ordinal bigint DEFAULT 0 NOT NULL,
    gone_sequence bigint DEFAULT 0 NOT NULL,
    CONSTRAINT conversation_belongs_to_bot_or_human CHECK ((owner = ANY (ARRAY['bot'::text, 'human'::text]))),
    CONSTRAINT conversation_desk_state_is_known CHECK ((desk_state = ANY (ARRAY['bot'::text, 'waiting'::text, 'human'::text, 'resolved'::text]))),
    CONSTRAINT conversation_is_claimed_while_a_human_has_it CHECK ((((desk_state = 'human'::text) = (claimed_by IS NOT NULL)) AND ((claimed_by IS NULL) = (claimed_until IS NULL)))),
    CONSTRAINT conversation_is_done_up_to_what_was_accepted CHECK ((done_position <= last_position)),
    CONSTRAINT conversation_is_snoozed_by_who_has_it CHECK (((snoozed_until IS NULL) OR (desk_state = 'human'::text))),
    CONSTRAINT conversation_owner_is_who_has_it CHECK (
CASE desk_state
    WHEN 'human'::text THEN (owner = 'human'::text)
    WHEN 'waiting'::text THEN true
    ELSE (owner = 'bot'::text)
END),
    CONSTRAINT conversation_resolved_at_null_unless_resolved CHECK (((desk_state = 'resolved'::text) = (resolved_at IS NOT NULL))),
    CONSTRAINT conversation_waits_for_a_human_only CHECK (((desk_state = ANY (ARRAY['waiting'::text, 'human'::text])) OR (answer_by IS NULL)))
)
WITH (fillfactor='70');

ALTER TABLE ONLY public.conversation FORCE ROW LEVEL SECURITY;

CREATE FUNCTION public.desk_of(p_conversation public.conversation) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    AS $$
    SELECT jsonb_build_object('state', p_conversation.desk_state, 'owner', p_conversation.owner,
        'claimed_by', p_conversation.claimed_by, 'claimed_until', p_conversation.claimed_until,
        'desk_version', p_conversation.desk_version, 'version', p_conversation.version,
        'last_position', p_conversation.last_position, 'last_ordinal', p_conversation.last_ordinal,
        'last_sequence', p_conversation.last_sequence, 'answer_by', p_conversation.answer_by,
        'snoozed_until', p_conversation.snoozed_until, 'sender_key', p_conversation.sender_key)
$$;

CREATE FUNCTION public.expire_turns(p_tenant text, p_conversation text, p_before timestamp with time zone) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_turn bigint;
    v_at timestamptz;
    v_position bigint;
    v_ordinal bigint;
    v_sequence bigint;
    v_removed bigint;
BEGIN
    PERFORM FROM conversation c WHERE c.tenant_id = p_tenant AND c.conversation_id = p_conversation FOR NO KEY UPDATE;
    SELECT max(t.number), max(t.committed_at) INTO v_turn, v_at FROM turn t
        WHERE t.tenant_id = p_tenant AND t.conversation_id = p_conversation AND t.committed_at < p_before;
    SELECT max(o.ordinal) INTO v_ordinal FROM outbox o
        WHERE o.tenant_id = p_tenant AND o.conversation_id = p_conversation AND o.created_at <= v_at;
    IF v_turn IS NULL OR EXISTS (SELECT FROM outbox o WHERE o.tenant_id = p_tenant AND o.conversation_id = p_conversation
        AND o.ordinal <= v_ordinal AND o.published_at IS NULL)
    THEN
        RETURN 0;
    END IF;
    SELECT max(i.position) INTO v_position FROM inbox i
        WHERE i.tenant_id = p_tenant AND i.conversation_id = p_conversation AND i.finished_at <= v_at;
    SELECT max(o.sequence) INTO v_sequence FROM outbox o
        WHERE o.tenant_id = p_tenant AND o.conversation_id = p_conversation AND o.ordinal <= v_ordinal AND o.kind = 'reply';
    INSERT INTO accepted_id (tenant_id, message_hash)
        SELECT p_tenant, keyed_hash(p_tenant, 'message ' || i.message_id) FROM inbox i
        WHERE i.tenant_id = p_tenant AND i.conversation_id = p_conversation AND i.position <= v_position
        ON CONFLICT DO NOTHING;
    DELETE FROM dead_letter d WHERE d.tenant_id = p_tenant AND d.conversation_id = p_conversation
        AND (d.message_id IN (SELECT i.message_id FROM inbox i
                WHERE i.tenant_id = p_tenant AND i.conversation_id = p_conversation AND i.position <= v_position)
            OR d.message_id IS NULL AND d.created_at <= v_at);
    DELETE FROM inbox i
        WHERE i.tenant_id = p_tenant AND i.conversation_id = p_conversation AND i.position <= v_position;
    DELETE FROM outbox o WHERE o.tenant_id = p_tenant AND o.conversation_id = p_conversation AND o.ordinal <= v_ordinal;
    DELETE FROM session_item s WHERE s.tenant_id = p_tenant AND s.conversation_id = p_conversation AND s.turn <= v_turn;
    DELETE FROM turn t WHERE t.tenant_id = p_tenant AND t.conversation_id = p_conversation AND t.number <= v_turn;
    GET DIAGNOSTICS v_removed = ROW_COUNT;
    UPDATE conversation c
        SET gone_position = greatest(c.gone_position, v_position), gone_ordinal = greatest(c.gone_ordinal, v_ordinal),
            gone_sequence = greatest(c.gone_sequence, v_sequence)
        WHERE c.tenant_id = p_tenant AND c.conversation_id = p_conversation;
    RETURN v_removed;
END $$;

CREATE TABLE public.reservation (
    tenant_id text NOT NULL,
    reservation_id bigint NOT NULL,
    confirmation_number text NOT NULL,
    customer_id bigint NOT NULL,
    trip_type text NOT NULL,
    cabin text NOT NULL,
    checked_bags smallint DEFAULT 0 NOT NULL,
    insured boolean DEFAULT false NOT NULL,
    payments jsonb DEFAULT '[]'::jsonb NOT NULL,
    status text DEFAULT 'booked'::text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    version bigint DEFAULT 0 NOT NULL,
    CONSTRAINT confirmation_number_is_six_characters CHECK ((confirmation_number ~ '^[A-Z0-9]{6}$'::text)),
    CONSTRAINT reservation_bags_not_negative CHECK ((checked_bags >= 0)),
    CONSTRAINT reservation_cabin_is_known CHECK ((cabin = ANY (ARRAY['basic_economy'::text, 'economy'::text, 'business'::text]))),
    CONSTRAINT reservation_status_is_known CHECK ((status = ANY (ARRAY['booked'::text, 'cancelled'::text]))),
    CONSTRAINT trip_type_is_known CHECK ((trip_type = ANY (ARRAY['one_way'::text, 'round_trip'::text])))
);

ALTER TABLE ONLY public.reservation FORCE ROW LEVEL SECURITY;

CREATE FUNCTION public.fare_of(p_reservation public.reservation) RETURNS integer
    LANGUAGE sql STABLE
    AS $$
    SELECT coalesce(sum(s.price_usd), 0)::integer * passengers_of(p_reservation) FROM reservation_segment s
    WHERE s.tenant_id = p_reservation.tenant_id AND s.reservation_id = p_reservation.reservation_id
$$;

CREATE FUNCTION public.find_api_key(p_key_id text, p_key_hash bytea) RETURNS TABLE(refused_because text, of_tenant text, may text[], as_person text, from_addresses cidr[], until timestamp with time zone, proof text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
DECLARE
    v_scope text := coalesce(current_setting('fte.tenant', true), '');
    v_hour timestamptz := date_trunc('hour', clock_timestamp());
    v_key api_key;
BEGIN
    PERFORM set_config('fte.tenant', '*', true);
    SELECT * INTO v_key FROM api_key k WHERE k.key_id = p_key_id;
    IF FOUND THEN
        refused_because := CASE
            WHEN v_key.key_hash <> p_key_hash THEN 'wrong'
            WHEN v_key.revoked_at <= clock_timestamp() THEN 'revoked'
            WHEN v_key.expires_at <= clock_timestamp() THEN 'expired'
        END;
        IF refused_because IS NULL THEN
            of_tenant := v_key.tenant_id;
            may := v_key.scopes;
            as_person := v_key.person;
            from_addresses := v_key.addresses;
            until := least(v_key.expires_at, v_key.revoked_at);
            proof := proof_of_tenant(v_key.tenant_id);
            UPDATE api_key k SET last_used_at = v_hour
                WHERE k.key_id = p_key_id AND k.last_used_at IS DISTINCT FROM v_hour;
        END IF;
        RETURN NEXT;
    END IF;
    PERFORM set_config('fte.tenant', v_scope, true);
END $$;

CREATE FUNCTION public.find_channel_account(p_tenant text, p_account text) RETURNS TABLE(of_channel text, account_settings jsonb, sealed_secrets text, sealed_old_secrets text, sealed_door text, stopped_because text, tenant_suspended boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
DECLARE
    v_scope text := coalesce(current_setting('fte.tenant', true), '');
BEGIN
    PERFORM set_config('fte.tenant', p_tenant, true);
    RETURN QUERY
        SELECT a.channel, a.settings, a.secrets,
            CASE WHEN a.old_secrets_until > clock_timestamp() THEN a.old_secrets END, a.door_secret, a.disabled_reason,
            t.suspended_at IS NOT NULL
        FROM channel_account a JOIN tenant t ON t.tenant_id = a.tenant_id
        WHERE a.tenant_id = p_tenant AND a.account_id = p_account;
    PERFORM set_config('fte.tenant', v_scope, true);
END $$;

CREATE FUNCTION public.find_mail_account(p_address text, p_bounce_domain text) RETURNS TABLE(of_tenant text, of_account text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
DECLARE
    v_scope text := coalesce(current_setting('fte.tenant', true), '');
BEGIN
    PERFORM set_config('fte.tenant', '*', true);
    RETURN QUERY
        SELECT a.tenant_id, a.account_id FROM channel_account a
        WHERE a.channel = 'email' AND (a.settings -> 'addresses' ? p_address OR a.settings ->> 'domain' = p_bounce_domain)
        LIMIT 2;
    PERFORM set_config('fte.tenant', v_scope, true);
END $$;

CREATE FUNCTION public.follow_owner() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    NEW.desk_state := CASE NEW.owner WHEN 'human' THEN 'waiting' ELSE 'bot' END;
    NEW.desk_version := OLD.desk_version + 1;
    NEW.claimed_by := NULL;
    NEW.claimed_until := NULL;
    NEW.snoozed_until := NULL;
    NEW.resolved_at := NULL;
    NEW.overdue_noted_at := NULL;
    IF NEW.owner = 'human' THEN
        NEW.taken_ordinal := OLD.last_ordinal;
        NEW.waiting_since := coalesce(OLD.waiting_since, clock_timestamp());
    ELSE
        NEW.waiting_since := NULL;
        NEW.answer_by := NULL;
    END IF;
    INSERT INTO desk_act (tenant_id, conversation_id, number, act, by_person, from_state, to_state, from_person, version, position)
        VALUES (NEW.tenant_id, NEW.conversation_id, NEW.desk_version,
            CASE NEW.owner WHEN 'human' THEN 'take_over' ELSE 'hand_back' END, 'unnamed', OLD.desk_state, NEW.desk_state,
            OLD.claimed_by, NEW.version, NEW.last_position);
    RETURN NEW;
END $$;

CREATE FUNCTION public.hear_customer() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF OLD.owner = 'human' THEN
        NEW.waiting_since := coalesce(OLD.waiting_since, clock_timestamp());
    END IF;
    IF OLD.desk_state = 'resolved' OR OLD.snoozed_until IS NOT NULL THEN
        NEW.desk_state := CASE OLD.desk_state WHEN 'resolved' THEN 'bot' ELSE OLD.desk_state END;
        NEW.resolved_at := NULL;
        NEW.snoozed_until := NULL;
        NEW.desk_version := OLD.desk_version + 1;
        INSERT INTO desk_act (tenant_id, conversation_id, number, act, by_person, from_state, to_state, from_person, to_person,
                version, position)
            VALUES (NEW.tenant_id, NEW.conversation_id, NEW.desk_version, 'write', 'customer', OLD.desk_state, NEW.desk_state,
                OLD.claimed_by, NEW.claimed_by, NEW.version, NEW.last_position);
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION public.issue_certificate(p_offer public.reservation_offer, p_amount_usd integer, p_reason text) RETURNS SETOF bigint
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.item_with_key(p_tenant text, p_conversation text, p_item jsonb) RETURNS jsonb
    LANGUAGE sql STABLE
    AS $$
    SELECT CASE WHEN p_item ? 'sealed'
        THEN jsonb_set(p_item, '{sealed}', to_jsonb(with_key(p_tenant, p_conversation, p_item ->> 'sealed'))) ELSE p_item END
$$;

CREATE FUNCTION public.keep_conversation_key(p_tenant text, p_conversation text, p_sealed_key text) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO conversation_key (tenant_id, conversation_id, sealed_key) VALUES (p_tenant, p_conversation, p_sealed_key)
        ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'conversation % has another key by now', p_conversation USING ERRCODE = 'FT001';
    END IF;
END $$;

CREATE FUNCTION public.keep_tenants_apart(VARIADIC p_tables text[]) RETURNS void
    LANGUAGE plpgsql
    AS $_$
DECLARE
    v_table text;
BEGIN
    FOREACH v_table IN ARRAY p_tables LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', v_table);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', v_table);
        EXECUTE format($policy$CREATE POLICY tenant_only ON %I
            USING (tenant_id = current_setting('fte.tenant', true) OR current_setting('fte.tenant', true) = '*')$policy$, v_table);
    END LOOP;
END $_$;

CREATE FUNCTION public.keyed_hash(p_tenant text, p_name text) RETURNS bytea
    LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
DECLARE
    v_secret bytea;
BEGIN
    SELECT s.secret INTO STRICT v_secret FROM tenant_proof_secret s;
    RETURN sha256(v_secret || sha256(v_secret || '\x00'::bytea || convert_to(p_tenant || '/' || p_name, 'UTF8')));
END $$;

CREATE FUNCTION public.move_conversation(p_tenant text, p_conversation text, p_act text, p_person text, p_to_person text, p_may_force boolean, p_desk_version bigint, p_position bigint, p_until timestamp with time zone, p_lease_seconds double precision, p_reason text, p_note text, p_request text) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_now timestamptz := clock_timestamp();
    v_was conversation;
    v_is conversation;
    v_mine boolean;
    v_lapsed boolean;
    v_outcome text;
    v_number bigint;
    v_state text;
    v_holder text;
    v_ends boolean := p_act IN ('resolve', 'hand_back');
BEGIN
    SELECT * INTO v_was FROM conversation c
        WHERE c.tenant_id = p_tenant AND c.conversation_id = p_conversation FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN jsonb_build_object('outcome', 'unknown');
    END IF;
    SELECT a.number INTO v_number FROM desk_act a
        WHERE a.tenant_id = p_tenant AND a.conversation_id = p_conversation AND a.request_id = p_request;
    IF FOUND THEN
        RETURN desk_of(v_was) || jsonb_build_object('outcome', 'repeated', 'number', v_number);
    END IF;
    v_mine := v_was.claimed_by IS NOT DISTINCT FROM p_person AND v_was.desk_state = 'human';
    v_lapsed := v_was.claimed_until <= v_now;
    v_outcome := CASE
        WHEN p_act = 'note' OR (p_act = 'open_ticket' AND p_may_force) THEN 'done'
        WHEN p_act = 'reopen' THEN CASE v_was.desk_state WHEN 'resolved' THEN 'done' ELSE 'state' END
        WHEN p_act = 'lapse' THEN CASE WHEN v_was.desk_state = 'human' AND v_lapsed THEN 'done' ELSE 'state' END
        WHEN p_act IN ('remind', 'apologise') THEN
            CASE WHEN v_was.answer_by <= v_now AND coalesce(v_was.overdue_noted_at < v_was.answer_by, true) THEN 'done'
                ELSE 'state' END
        WHEN p_act IN ('claim', 'reassign') AND v_was.desk_state IN ('bot', 'resolved') THEN 'state'
        WHEN p_act = 'resolve' AND v_was.desk_state = 'resolved' THEN 'state'
        WHEN p_act = 'hand_back' AND v_was.desk_state IN ('bot', 'resolved') THEN 'state'
        WHEN p_act IN ('claim', 'take_over') AND v_mine THEN 'kept'
        WHEN p_act = 'renew' AND v_mine THEN 'kept'
        WHEN p_act IN ('renew', 'reply', 'snooze', 'open_ticket') THEN
            CASE WHEN v_mine THEN 'done' WHEN v_was.desk_state = 'human' THEN 'held' ELSE 'unheld' END
        WHEN v_was.desk_state = 'human' AND NOT v_mine AND NOT v_lapsed AND NOT (p_may_force AND p_act <> 'claim') THEN 'held'
        ELSE 'done'
    END;
    IF v_outcome IN ('done', 'kept') THEN
        v_outcome := CASE
            WHEN p_desk_version <> v_was.desk_version THEN 'stale'
            WHEN p_position <> v_was.last_position THEN 'overtaken'
            ELSE v_outcome
        END;
    END IF;
    IF v_outcome NOT IN ('done', 'kept') THEN
        RETURN desk_of(v_was) || jsonb_build_object('outcome', v_outcome);
    END IF;
    v_state := CASE
        WHEN v_outcome = 'kept' THEN 'human'
        WHEN p_act IN ('claim', 'take_over') THEN 'human'
        WHEN p_act = 'reassign' THEN CASE WHEN p_to_person IS NULL THEN 'waiting' ELSE 'human' END
        WHEN p_act IN ('reopen', 'lapse') THEN 'waiting'
        WHEN p_act = 'resolve' THEN 'resolved'
        WHEN p_act = 'hand_back' THEN 'bot'
        ELSE v_was.desk_state
    END;
    v_holder := CASE
        WHEN v_state <> 'human' THEN NULL
        WHEN p_act = 'reassign' THEN p_to_person
        WHEN p_act IN ('claim', 'take_over') THEN p_person
        ELSE v_was.claimed_by
    END;
    UPDATE conversation c
        SET desk_state = v_state,
            owner = CASE v_state WHEN 'human' THEN 'human' WHEN 'waiting' THEN c.owner ELSE 'bot' END,
            claimed_by = v_holder,
            claimed_until = CASE
                WHEN v_holder IS NULL THEN NULL
                WHEN p_act = 'snooze' THEN p_until + make_interval(secs => p_lease_seconds)
                WHEN v_holder IS DISTINCT FROM c.claimed_by OR v_holder = p_person
                    THEN greatest(v_now + make_interval(secs => p_lease_seconds), c.snoozed_until + make_interval(secs => p_lease_seconds))
                ELSE c.claimed_until
            END,
            snoozed_until = CASE WHEN v_state <> 'human' THEN NULL WHEN p_act = 'snooze' THEN p_until
                WHEN p_act IN ('note', 'renew', 'open_ticket') OR v_outcome = 'kept' OR p_person IN ('clock', 'bot') THEN c.snoozed_until END,
            waiting_since = CASE WHEN v_ends OR p_act = 'reply' THEN NULL WHEN p_act = 'reopen' THEN v_now ELSE c.waiting_since END,
            answer_by = CASE WHEN v_ends OR p_act = 'reply' THEN NULL WHEN p_act IN ('reopen', 'snooze', 'apologise') THEN p_until
                ELSE c.answer_by END,
            overdue_noted_at = CASE WHEN p_act IN ('remind', 'apologise') THEN v_now
                WHEN v_ends OR p_act IN ('reply', 'reopen', 'snooze') THEN NULL ELSE c.overdue_noted_at END,
            resolved_at = CASE WHEN p_act = 'resolve' THEN v_now WHEN v_state = 'resolved' THEN c.resolved_at END,
            taken_ordinal = CASE WHEN v_state = 'human' AND c.owner = 'bot' THEN c.last_ordinal ELSE c.taken_ordinal END,
            -- An offer that waits for a yes is dropped: the next yes may answer what the person said. What a conversation that is
            -- the bot's again begins with is no ticket and no agent that has handed it on.
            context = CASE WHEN v_ends THEN c.context - 'quote' - 'pending_approval' - 'ticket_id' - 'escalation_reason'
                WHEN v_state = 'human' AND c.owner = 'bot' THEN c.context - 'quote' - 'pending_approval' ELSE c.context END,
            last_agent = CASE WHEN v_ends THEN NULL ELSE c.last_agent END,
            desk_version = c.desk_version + (v_outcome = 'done')::integer,
            version = c.version + (v_outcome = 'done')::integer,
            updated_at = CASE v_outcome WHEN 'done' THEN v_now ELSE c.updated_at END
        WHERE c.tenant_id = p_tenant AND c.conversation_id = p_conversation
        RETURNING * INTO v_is;
    IF v_outcome = 'kept' THEN
        RETURN desk_of(v_is) || jsonb_build_object('outcome', 'kept');
    END IF;
    IF v_ends THEN
        UPDATE conversation_sender s
            SET context = s.context - 'quote' - 'pending_approval' - 'ticket_id' - 'escalation_reason', last_agent = NULL
            WHERE s.tenant_id = p_tenant AND s.conversation_id = p_conversation;
        UPDATE ticket t SET closed_at = v_now, closed_by = p_person, closed_because = coalesce(p_reason, p_act)
            WHERE t.tenant_id = p_tenant AND t.conversation_id = p_conversation AND t.closed_at IS NULL;
    ELSIF p_act = 'reopen' THEN
        UPDATE ticket t SET closed_at = NULL, closed_by = NULL, closed_because = NULL, answer_by = p_until
            WHERE t.tenant_id = p_tenant AND t.conversation_id = p_conversation AND t.closed_at = v_was.resolved_at;
    END IF;
    INSERT INTO desk_act (tenant_id, conversation_id, number, act, by_person, from_state, to_state, from_person, to_person,
            ticket_id, version, position, sequence, reason, note, request_id, at)
        SELECT p_tenant, p_conversation, v_is.desk_version, p_act, p_person, v_was.desk_state, v_is.desk_state,
            v_was.claimed_by, v_is.claimed_by,
            (SELECT t.ticket_id FROM ticket t WHERE t.tenant_id = p_tenant AND t.conversation_id = p_conversation
                ORDER BY t.opened_at DESC, t.ticket_id LIMIT 1),
            v_is.version, v_is.last_position, CASE p_act WHEN 'reply' THEN v_is.last_sequence + 1 END,
            p_reason, p_note, p_request, v_now;
    RETURN desk_of(v_is) || jsonb_build_object('outcome', 'done', 'number', v_is.desk_version, 'from_state', v_was.desk_state,
        'from_owner', v_was.owner, 'from_person', v_was.claimed_by);
END $$;

CREATE FUNCTION public.move_places(p_places jsonb) RETURNS void
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.move_to_seat(p_reservation bigint, p_passenger smallint, p_flight text, p_date date, p_from_seat text, p_to_seat text, p_price_usd integer) RETURNS SETOF text
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.move_to_seat(p_offer public.reservation_offer, p_passenger smallint, p_flight text, p_date date, p_from_seat text, p_to_seat text, p_price_usd integer, p_method_number smallint) RETURNS SETOF bigint
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.note_person() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO person_conversation (tenant_id, person_key, conversation_id)
        VALUES (NEW.tenant_id, NEW.sender_key, NEW.conversation_id) ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;

CREATE FUNCTION public.passengers_of(p_reservation public.reservation) RETURNS integer
    LANGUAGE sql STABLE
    AS $$
    SELECT count(*)::integer FROM reservation_passenger p
    WHERE p.tenant_id = p_reservation.tenant_id AND p.reservation_id = p_reservation.reservation_id
$$;

CREATE FUNCTION public.pay(p_reservation public.reservation, p_method_number smallint, p_amount_usd integer, p_for text) RETURNS void
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.proof_of_tenant(p_tenant text) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    AS $$
DECLARE
    v_secret bytea;
BEGIN
    SELECT s.secret INTO STRICT v_secret FROM tenant_proof_secret s;
    RETURN encode(sha256(v_secret || sha256(v_secret || convert_to(p_tenant, 'UTF8'))), 'hex');
END $$;

CREATE FUNCTION public.prove_channel_account(p_tenant text, p_account text, p_door_hash bytea) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
DECLARE
    v_scope text := coalesce(current_setting('fte.tenant', true), '');
    v_found boolean;
BEGIN
    PERFORM set_config('fte.tenant', p_tenant, true);
    SELECT EXISTS (SELECT FROM channel_account a
        WHERE a.tenant_id = p_tenant AND a.account_id = p_account AND a.door_hash = sha256(p_door_hash)) INTO v_found;
    PERFORM set_config('fte.tenant', v_scope, true);
    RETURN CASE WHEN v_found THEN proof_of_tenant(p_tenant) END;
END $$;

CREATE FUNCTION public.proven_tenant() RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
DECLARE
    v_tenant text := current_setting('fte.tenant', true);
BEGIN
    RETURN CASE WHEN proof_of_tenant(v_tenant) = current_setting('fte.proof', true) THEN v_tenant END;
END $$;

CREATE FUNCTION public.record_change(p_offer public.reservation_offer, p_kind text, p_amount_usd integer) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.refuse_audit_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF TG_OP = 'DELETE' AND EXISTS (SELECT FROM deleted_tenant d WHERE d.tenant_id = OLD.tenant_id) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'the audit log is only appended to' USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE FUNCTION public.replace_segments(p_reservation public.reservation, p_segments jsonb) RETURNS void
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.take_up_offer(p_offer public.reservation_offer, p_kind text) RETURNS public.reservation
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.wait_for_human() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_was conversation;
BEGIN
    SELECT * INTO STRICT v_was FROM conversation c
        WHERE c.tenant_id = NEW.tenant_id AND c.conversation_id = NEW.conversation_id FOR NO KEY UPDATE;
    UPDATE conversation c
        SET desk_state = CASE WHEN c.desk_state = 'human' THEN 'human' ELSE 'waiting' END,
            desk_version = c.desk_version + 1,
            waiting_since = coalesce(c.waiting_since, clock_timestamp()),
            answer_by = least(c.answer_by, NEW.answer_by),
            overdue_noted_at = NULL, snoozed_until = NULL, resolved_at = NULL
        WHERE c.tenant_id = NEW.tenant_id AND c.conversation_id = NEW.conversation_id;
    INSERT INTO desk_act (tenant_id, conversation_id, number, act, by_person, from_state, to_state, from_person, to_person,
            ticket_id, version, position)
        VALUES (NEW.tenant_id, NEW.conversation_id, v_was.desk_version + 1, 'escalate', 'bot', v_was.desk_state,
            CASE WHEN v_was.desk_state = 'human' THEN 'human' ELSE 'waiting' END, v_was.claimed_by, v_was.claimed_by,
            NEW.ticket_id, v_was.version + 1, v_was.last_position);
    RETURN NULL;
END $$;

CREATE FUNCTION public.with_key(p_tenant text, p_conversation text, p_sealed text) RETURNS text
    LANGUAGE sql STABLE
    AS $$
    SELECT CASE WHEN starts_with(p_sealed, 'c1.') THEN coalesce(
        (SELECT 'k1.' || k.sealed_key || '.' || substr(p_sealed, 4) FROM conversation_key k
            WHERE k.tenant_id = p_tenant AND k.conversation_id = p_conversation), p_sealed) ELSE p_sealed END
$$;

CREATE TABLE public.accepted_id (
    tenant_id text NOT NULL,
    message_hash bytea NOT NULL
);

ALTER TABLE ONLY public.accepted_id FORCE ROW LEVEL SECURITY;

CREATE TABLE public.airport (
    tenant_id text NOT NULL,
    code text NOT NULL,
    city text NOT NULL,
    time_zone text NOT NULL,
    CONSTRAINT airport_code_is_three_letters CHECK ((code ~ '^[A-Z]{3}$'::text))
);

ALTER TABLE ONLY public.airport FORCE ROW LEVEL SECURITY;

CREATE TABLE public.api_key (
    key_id text NOT NULL,
    tenant_id text,
    key_hash bytea NOT NULL,
    label text NOT NULL,
    person text,
    scopes text[] NOT NULL,
    addresses cidr[] DEFAULT '{}'::cidr[] NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    created_by text NOT NULL,
    expires_at timestamp with time zone,
    revoked_at timestamp with time zone,
    revoked_by text,
    replaced_by text,
    last_used_at timestamp with time zone,
    CONSTRAINT api_key_has_scopes CHECK ((cardinality(scopes) > 0)),
    CONSTRAINT api_key_hash_is_sha256 CHECK ((octet_length(key_hash) = 32)),
    CONSTRAINT api_key_id_is_plain CHECK ((key_id ~ '^[0-9A-Za-z]{12}$'::text)),
    CONSTRAINT api_key_of_operators_is_for_administration CHECK (((tenant_id IS NOT NULL) OR (scopes = ARRAY['admin'::text])))
);

ALTER TABLE ONLY public.api_key FORCE ROW LEVEL SECURITY;

CREATE TABLE public.approval (
    tenant_id text NOT NULL,
    approval_id text NOT NULL,
    conversation_id text NOT NULL,
    "position" bigint NOT NULL,
    kind text NOT NULL,
    amount_usd bigint NOT NULL,
    policy text NOT NULL,
    details text NOT NULL,
    requested_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    state text DEFAULT 'waiting'::text NOT NULL,
    decided_at timestamp with time zone,
    decided_by text,
    reason text,
    decision_message text,
    settled_at timestamp with time zone,
    CONSTRAINT approval_is_decided_by_somebody CHECK (((state = 'waiting'::text) = (decided_by IS NULL))),
    CONSTRAINT approval_settled_after_a_decision CHECK (((state = ANY (ARRAY['applied'::text, 'changed'::text, 'told'::text])) = (settled_at IS NOT NULL))),
    CONSTRAINT approval_state_is_known CHECK ((state = ANY (ARRAY['waiting'::text, 'approved'::text, 'rejected'::text, 'expired'::text, 'cancelled'::text, 'applied'::text, 'changed'::text, 'told'::text])))
);

ALTER TABLE ONLY public.approval FORCE ROW LEVEL SECURITY;

CREATE TABLE public.article (
    tenant_id text NOT NULL,
    slug text NOT NULL,
    title text NOT NULL,
    keywords text DEFAULT ''::text NOT NULL,
    updated_on date,
    content_hash text NOT NULL,
    imported_at timestamp with time zone DEFAULT now() NOT NULL,
    search tsvector GENERATED ALWAYS AS ((setweight(to_tsvector('english'::regconfig, title), 'A'::"char") || setweight(to_tsvector('english'::regconfig, keywords), 'B'::"char"))) STORED NOT NULL,
    unanswered text DEFAULT ''::text NOT NULL,
    CONSTRAINT article_slug_is_plain CHECK ((slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'::text))
);

ALTER TABLE ONLY public.article FORCE ROW LEVEL SECURITY;

CREATE TABLE public.article_section (
    tenant_id text NOT NULL,
    slug text NOT NULL,
    section_number smallint NOT NULL,
    heading text NOT NULL,
    body text NOT NULL,
    search tsvector GENERATED ALWAYS AS ((setweight(to_tsvector('english'::regconfig, heading), 'C'::"char") || setweight(to_tsvector('english'::regconfig, body), 'D'::"char"))) STORED NOT NULL,
    text_hash text GENERATED ALWAYS AS (md5(((heading || '
'::text) || body))) STORED NOT NULL,
    asked text DEFAULT ''::text NOT NULL
);

ALTER TABLE ONLY public.article_section FORCE ROW LEVEL SECURITY;

CREATE TABLE public.audit_chain (
    tenant_id text NOT NULL,
    entries bigint DEFAULT 0 NOT NULL,
    head_hash bytea DEFAULT decode(repeat('00'::text, 32), 'hex'::text) NOT NULL,
    CONSTRAINT audit_chain_entries_not_negative CHECK ((entries >= 0))
);

ALTER TABLE ONLY public.audit_chain FORCE ROW LEVEL SECURITY;

CREATE TABLE public.audit_detail (
    tenant_id text NOT NULL,
    number bigint NOT NULL,
    salt bytea,
    object text,
    conversation_id text,
    reason text,
    erased_by bigint,
    CONSTRAINT audit_detail_is_kept_or_erased CHECK (((salt IS NULL) = (erased_by IS NOT NULL)))
);

ALTER TABLE ONLY public.audit_detail FORCE ROW LEVEL SECURITY;

CREATE TABLE public.audit_entry (
    tenant_id text NOT NULL,
    number bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    actor text NOT NULL,
    role text NOT NULL,
    address text,
    operation text NOT NULL,
    object_kind text NOT NULL,
    before_hash bytea,
    after_hash bytea,
    detail_hash bytea NOT NULL,
    prior_hash bytea NOT NULL,
    hash bytea NOT NULL
);

ALTER TABLE ONLY public.audit_entry FORCE ROW LEVEL SECURITY;

CREATE TABLE public.customer (
    tenant_id text NOT NULL,
    customer_id bigint NOT NULL,
    given_name text NOT NULL,
    surname text NOT NULL,
    email text NOT NULL,
    phone text NOT NULL,
    born_on date NOT NULL,
    membership text NOT NULL,
    CONSTRAINT customer_email_is_lower_case CHECK ((email = lower(email))),
    CONSTRAINT membership_is_known CHECK ((membership = ANY (ARRAY['regular'::text, 'silver'::text, 'gold'::text])))
);

ALTER TABLE ONLY public.customer FORCE ROW LEVEL SECURITY;

CREATE TABLE public.fare (
    tenant_id text NOT NULL,
    flight_number text NOT NULL,
    flight_date date NOT NULL,
    cabin text NOT NULL,
    seats_left integer NOT NULL,
    price_usd integer NOT NULL,
    CONSTRAINT fare_cabin_is_known CHECK ((cabin = ANY (ARRAY['basic_economy'::text, 'economy'::text, 'business'::text]))),
    CONSTRAINT fare_costs_something CHECK ((price_usd > 0)),
    CONSTRAINT fare_is_never_oversold CHECK ((seats_left >= 0))
);

ALTER TABLE ONLY public.fare FORCE ROW LEVEL SECURITY;

CREATE TABLE public.flight (
    tenant_id text NOT NULL,
    flight_number text NOT NULL,
    origin text NOT NULL,
    destination text NOT NULL,
    departs_at time without time zone NOT NULL,
    arrives_at time without time zone NOT NULL,
    arrives_days_later smallint DEFAULT 0 NOT NULL,
    CONSTRAINT flight_goes_somewhere CHECK ((origin <> destination)),
    CONSTRAINT flight_number_is_carrier_and_digits CHECK ((flight_number ~ '^[A-Z]{2}[0-9]{1,4}$'::text))
);

ALTER TABLE ONLY public.flight FORCE ROW LEVEL SECURITY;

CREATE TABLE public.flight_date (
    tenant_id text NOT NULL,
    flight_number text NOT NULL,
    flight_date date NOT NULL,
    status text NOT NULL,
    delay_minutes integer,
    CONSTRAINT delay_is_positive CHECK ((delay_minutes > 0)),
    CONSTRAINT flight_status_is_known CHECK ((status = ANY (ARRAY['available'::text, 'on_time'::text, 'delayed'::text, 'flying'::text, 'landed'::text, 'cancelled'::text])))
);

ALTER TABLE ONLY public.flight_date FORCE ROW LEVEL SECURITY;

CREATE TABLE public.payment_method (
    tenant_id text NOT NULL,
    customer_id bigint NOT NULL,
    method_number smallint NOT NULL,
    kind text NOT NULL,
    last_four text,
    balance_usd integer,
    CONSTRAINT payment_method_has_digits_or_a_balance CHECK ((((kind = 'card'::text) = (balance_usd IS NULL)) AND ((kind = 'card'::text) = (last_four IS NOT NULL)))),
    CONSTRAINT payment_method_is_known CHECK ((kind = ANY (ARRAY['card'::text, 'gift_card'::text, 'certificate'::text]))),
    CONSTRAINT payment_method_is_never_overdrawn CHECK ((balance_usd >= 0)),
    CONSTRAINT payment_method_shows_four_digits CHECK ((last_four ~ '^[0-9]{4}$'::text))
);

ALTER TABLE ONLY public.payment_method FORCE ROW LEVEL SECURITY;

CREATE TABLE public.reservation_change (
    tenant_id text NOT NULL,
    conversation_id text NOT NULL,
    tool_call_id text NOT NULL,
    reservation_id bigint NOT NULL,
    version bigint NOT NULL,
    kind text NOT NULL,
    amount_usd integer NOT NULL,
    details jsonb DEFAULT '{}'::jsonb NOT NULL,
    changed_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT reservation_change_is_known CHECK ((kind = ANY (ARRAY['move_to_seat'::text, 'change_flights'::text, 'change_cabin'::text, 'cancel_reservation'::text, 'add_bags'::text, 'correct_passenger'::text, 'issue_certificate'::text])))
);

ALTER TABLE ONLY public.reservation_change FORCE ROW LEVEL SECURITY;

CREATE TABLE public.reservation_passenger (
    tenant_id text NOT NULL,
    reservation_id bigint NOT NULL,
    passenger_number smallint NOT NULL,
    given_name text NOT NULL,
    surname text NOT NULL,
    born_on date NOT NULL,
    CONSTRAINT reservation_has_at_most_five_passengers CHECK (((passenger_number >= 1) AND (passenger_number <= 5)))
);

ALTER TABLE ONLY public.reservation_passenger FORCE ROW LEVEL SECURITY;

CREATE TABLE public.reservation_segment (
    tenant_id text NOT NULL,
    reservation_id bigint NOT NULL,
    segment_number smallint NOT NULL,
    flight_number text NOT NULL,
    flight_date date NOT NULL,
    price_usd integer DEFAULT 0 NOT NULL,
    CONSTRAINT segment_price_not_negative CHECK ((price_usd >= 0))
);

ALTER TABLE ONLY public.reservation_segment FORCE ROW LEVEL SECURITY;

CREATE VIEW public.scheduled_flight WITH (security_invoker='true') AS
 SELECT d.tenant_id,
    d.flight_number,
    d.flight_date,
    d.status,
    f.origin,
    f.destination,
    (((d.flight_date + f.departs_at) AT TIME ZONE o.time_zone) + late.by_minutes) AS departs_at,
    ((((d.flight_date + (f.arrives_days_later)::integer) + f.arrives_at) AT TIME ZONE a.time_zone) + late.by_minutes) AS arrives_at,
    to_char(((((d.flight_date + f.departs_at) AT TIME ZONE o.time_zone) + late.by_minutes) AT TIME ZONE o.time_zone), 'YYYY-MM-DD HH24:MI'::text) AS departs_local,
    to_char((((((d.flight_date + (f.arrives_days_later)::integer) + f.arrives_at) AT TIME ZONE a.time_zone) + late.by_minutes) AT TIME ZONE a.time_zone), 'YYYY-MM-DD HH24:MI'::text) AS arrives_local,
    ( SELECT COALESCE(jsonb_agg(jsonb_build_object('cabin', c.cabin, 'seats_left', c.seats_left, 'price_usd', c.price_usd) ORDER BY c.price_usd), '[]'::jsonb) AS "coalesce"
           FROM public.fare c
          WHERE ((c.tenant_id = d.tenant_id) AND (c.flight_number = d.flight_number) AND (c.flight_date = d.flight_date))) AS fares
   FROM ((((public.flight_date d
     JOIN public.flight f ON (((f.tenant_id = d.tenant_id) AND (f.flight_number = d.flight_number))))
     JOIN public.airport o ON (((o.tenant_id = f.tenant_id) AND (o.code = f.origin))))
     JOIN public.airport a ON (((a.tenant_id = f.tenant_id) AND (a.code = f.destination))))
     CROSS JOIN LATERAL ( SELECT make_interval(mins => COALESCE(d.delay_minutes, 0)) AS by_minutes) late);

CREATE TABLE public.seat (
    tenant_id text NOT NULL,
    flight_number text NOT NULL,
    flight_date date NOT NULL,
    seat_number text NOT NULL,
    reservation_id bigint NOT NULL,
    passenger_number smallint NOT NULL,
    price_usd integer DEFAULT 0 NOT NULL,
    CONSTRAINT seat_is_on_the_map CHECK ((seat_number ~ '^([1-9]|[12][0-9]|30)[A-F]$'::text)),
    CONSTRAINT seat_price_not_negative CHECK ((price_usd >= 0))
);

ALTER TABLE ONLY public.seat FORCE ROW LEVEL SECURITY;

CREATE VIEW public.booking WITH (security_invoker='true') AS
 SELECT tenant_id,
    reservation_id,
    version,
    confirmation_number,
    status,
    trip_type,
    cabin,
    checked_bags,
    insured,
    created_at,
    payments,
    customer_id,
    ( SELECT jsonb_build_object('customer_id', c.customer_id, 'given_name', c.given_name, 'surname', c.surname, 'membership', c.membership, 'payment_methods', ( SELECT COALESCE(jsonb_agg(jsonb_build_object('number', m.method_number, 'kind', m.kind, 'last_four', m.last_four, 'balance_usd', m.balance_usd) ORDER BY m.method_number), '[]'::jsonb) AS "coalesce"
                   FROM public.payment_method m
                  WHERE ((m.tenant_id = c.tenant_id) AND (m.customer_id = c.customer_id)))) AS jsonb_build_object
           FROM public.customer c
          WHERE ((c.tenant_id = r.tenant_id) AND (c.customer_id = r.customer_id))) AS customer,
    ( SELECT jsonb_agg(jsonb_build_object('number', p.passenger_number, 'given_name', p.given_name, 'surname', p.surname, 'born_on', p.born_on) ORDER BY p.passenger_number) AS jsonb_agg
           FROM public.reservation_passenger p
          WHERE ((p.tenant_id = r.tenant_id) AND (p.reservation_id = r.reservation_id))) AS passengers,
    ( SELECT jsonb_agg(jsonb_build_object('number', s.segment_number, 'flight_number', s.flight_number, 'flight_date', s.flight_date, 'origin', f.origin, 'destination', f.destination, 'status', f.status, 'departs_at', f.departs_at, 'arrives_at', f.arrives_at, 'departs_local', f.departs_local, 'arrives_local', f.arrives_local, 'price_usd', s.price_usd) ORDER BY s.segment_number) AS jsonb_agg
           FROM (public.reservation_segment s
             JOIN public.scheduled_flight f ON (((f.tenant_id = s.tenant_id) AND (f.flight_number = s.flight_number) AND (f.flight_date = s.flight_date))))
          WHERE ((s.tenant_id = r.tenant_id) AND (s.reservation_id = r.reservation_id))) AS segments,
    ( SELECT COALESCE(jsonb_agg(jsonb_build_object('flight_number', t.flight_number, 'flight_date', t.flight_date, 'passenger_number', t.passenger_number, 'seat_number', t.seat_number, 'price_usd', t.price_usd) ORDER BY t.flight_date, t.flight_number, t.passenger_number), '[]'::jsonb) AS "coalesce"
           FROM public.seat t
          WHERE ((t.tenant_id = r.tenant_id) AND (t.reservation_id = r.reservation_id))) AS seats,
    (( SELECT COALESCE((- sum(g.amount_usd)), (0)::bigint) AS "coalesce"
           FROM public.reservation_change g
          WHERE ((g.tenant_id = r.tenant_id) AND (g.reservation_id = r.reservation_id) AND (g.kind = 'issue_certificate'::text))))::integer AS certificates_usd,
    ( SELECT max(g.changed_at) AS max
           FROM public.reservation_change g
          WHERE ((g.tenant_id = r.tenant_id) AND (g.reservation_id = r.reservation_id) AND (g.kind = 'change_flights'::text))) AS changed_at,
    ( SELECT COALESCE(jsonb_agg(x.value ORDER BY g.version), '[]'::jsonb) AS "coalesce"
           FROM (public.reservation_change g
             CROSS JOIN LATERAL jsonb_array_elements((g.details -> 'given_up'::text)) x(value))
          WHERE ((g.tenant_id = r.tenant_id) AND (g.reservation_id = r.reservation_id) AND (g.kind = 'change_flights'::text))) AS given_up
   FROM public.reservation r;

CREATE TABLE public.channel_account (
    tenant_id text NOT NULL,
    account_id text NOT NULL,
    channel text NOT NULL,
    settings jsonb NOT NULL,
    secrets text NOT NULL,
    old_secrets text,
    old_secrets_until timestamp with time zone,
    door_secret text NOT NULL,
    door_hash bytea NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    paused_until timestamp with time zone,
    disabled_at timestamp with time zone,
    disabled_reason text,
    CONSTRAINT channel_account_door_hash_is_sha256 CHECK ((octet_length(door_hash) = 32)),
    CONSTRAINT channel_account_id_is_plain CHECK ((account_id ~ '^ch_[0-9a-f]{16}$'::text)),
    CONSTRAINT channel_account_is_disabled_for_a_reason CHECK (((disabled_at IS NULL) = (disabled_reason IS NULL))),
    CONSTRAINT channel_account_old_secrets_end CHECK (((old_secrets IS NULL) = (old_secrets_until IS NULL)))
);

ALTER TABLE ONLY public.channel_account FORCE ROW LEVEL SECURITY;

CREATE TABLE public.channel_command (
    tenant_id text NOT NULL,
    message_id text NOT NULL,
    account_id text NOT NULL,
    own_address text NOT NULL,
    sender_key text NOT NULL,
    command text NOT NULL,
    received_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

ALTER TABLE ONLY public.channel_command FORCE ROW LEVEL SECURITY;

CREATE TABLE public.channel_suppression (
    tenant_id text NOT NULL,
    channel text NOT NULL,
    own_address text NOT NULL,
    sender_key text NOT NULL,
    reason text NOT NULL,
    since timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    lifted_at timestamp with time zone,
    lifted_reason text,
    CONSTRAINT channel_suppression_is_lifted_for_a_reason CHECK (((lifted_at IS NULL) = (lifted_reason IS NULL)))
);

ALTER TABLE ONLY public.channel_suppression FORCE ROW LEVEL SECURITY;

CREATE TABLE public.collected_stream (
    tenant_id text NOT NULL,
    kind text NOT NULL,
    channel text NOT NULL,
    "position" bigint NOT NULL,
    noted_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ONLY public.collected_stream FORCE ROW LEVEL SECURITY;

CREATE TABLE public.conversation_key (
    tenant_id text NOT NULL,
    conversation_id text NOT NULL,
    sealed_key text NOT NULL,
    made_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

ALTER TABLE ONLY public.conversation_key FORCE ROW LEVEL SECURITY;

CREATE TABLE public.conversation_route (
    tenant_id text NOT NULL,
    conversation_id text NOT NULL,
    sender_key text NOT NULL,
    account_id text NOT NULL,
    own_address text NOT NULL,
    own_group text,
    since timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

ALTER TABLE ONLY public.conversation_route FORCE ROW LEVEL SECURITY;

CREATE TABLE public.conversation_sender (
    tenant_id text NOT NULL,
    conversation_id text NOT NULL,
    sender_key text NOT NULL,
    context jsonb NOT NULL,
    vault text,
    last_agent text,
    parked_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ONLY public.conversation_sender FORCE ROW LEVEL SECURITY;

CREATE TABLE public.cut_entry (
    tenant_id text NOT NULL,
    kind text NOT NULL,
    channel text NOT NULL,
    "position" bigint NOT NULL,
    entry_id text NOT NULL,
    cut_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ONLY public.cut_entry FORCE ROW LEVEL SECURITY;

CREATE TABLE public.dead_letter (
    dead_letter_id bigint NOT NULL,
    tenant_id text NOT NULL,
    conversation_id text NOT NULL,
    message_id text,
    reason text NOT NULL,
    attempts integer NOT NULL,
    payload text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    state text DEFAULT 'kept'::text NOT NULL,
    settled_at timestamp with time zone,
    settled_by text,
    settled_because text,
    redriven_as text,
    entry bigint,
    CONSTRAINT dead_letter_payload_kept_until_dropped CHECK (((state = 'dropped'::text) = (payload IS NULL))),
    CONSTRAINT dead_letter_redriven_has_a_new_message CHECK (((state <> 'redriven'::text) OR (redriven_as IS NOT NULL))),
    CONSTRAINT dead_letter_settled_at_null_while_kept CHECK (((state = 'kept'::text) = (settled_at IS NULL))),
    CONSTRAINT dead_letter_settled_by_somebody CHECK (((settled_at IS NULL) = (settled_by IS NULL))),
    CONSTRAINT dead_letter_state_is_known CHECK ((state = ANY (ARRAY['kept'::text, 'redriven'::text, 'dropped'::text])))
);

ALTER TABLE ONLY public.dead_letter FORCE ROW LEVEL SECURITY;

ALTER TABLE public.dead_letter ALTER COLUMN dead_letter_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.dead_letter_dead_letter_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.deleted_tenant (
    tenant_id text NOT NULL,
    requested_by text NOT NULL,
    requested_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    finished_at timestamp with time zone,
    rows_removed jsonb DEFAULT '{}'::jsonb NOT NULL,
    entries_removed jsonb DEFAULT '{}'::jsonb NOT NULL,
    keys_removed bigint DEFAULT 0 NOT NULL
);

ALTER TABLE ONLY public.deleted_tenant FORCE ROW LEVEL SECURITY;

CREATE TABLE public.deployment (
    only_row boolean DEFAULT true NOT NULL,
    vault_fingerprint text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    sender_secret text,
    CONSTRAINT deployment_has_one_row CHECK (only_row)
);

CREATE TABLE public.desk_act (
    tenant_id text NOT NULL,
    conversation_id text NOT NULL,
    number bigint NOT NULL,
    act text NOT NULL,
    by_person text NOT NULL,
    from_state text NOT NULL,
    to_state text NOT NULL,
    from_person text,
    to_person text,
    ticket_id text,
    version bigint NOT NULL,
    "position" bigint NOT NULL,
    sequence bigint,
    reason text,
    note text,
    request_id text,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT desk_act_is_named CHECK ((act ~ '^[a-z_]{1,40}$'::text))
);

ALTER TABLE ONLY public.desk_act FORCE ROW LEVEL SECURITY;

CREATE TABLE public.desk_member (
    tenant_id text NOT NULL,
    person text NOT NULL,
    role text NOT NULL,
    set_by text NOT NULL,
    set_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT desk_member_name_is_short CHECK (((length(person) >= 1) AND (length(person) <= 100))),
    CONSTRAINT desk_member_role_is_known CHECK ((role = ANY (ARRAY['viewer'::text, 'agent'::text, 'supervisor'::text, 'operator'::text, 'analyst'::text, 'admin'::text])))
);

ALTER TABLE ONLY public.desk_member FORCE ROW LEVEL SECURITY;

CREATE TABLE public.episode (
    tenant_id text NOT NULL,
    conversation_id text NOT NULL,
    number bigint NOT NULL,
    first_position bigint NOT NULL,
    last_position bigint NOT NULL,
    channel text NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    last_at timestamp with time zone NOT NULL,
    look_at timestamp with time zone NOT NULL,
    closed_at timestamp with time zone,
    close_reason text,
    rule_version integer NOT NULL,
    noted_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT episode_close_reason_is_known CHECK ((close_reason = ANY (ARRAY['idle'::text, 'resolved'::text]))),
    CONSTRAINT episode_is_closed_for_a_reason CHECK (((closed_at IS NULL) = (close_reason IS NULL))),
    CONSTRAINT episode_positions_ascend CHECK ((first_position <= last_position))
)
WITH (fillfactor='80');

ALTER TABLE ONLY public.episode FORCE ROW LEVEL SECURITY;

CREATE TABLE public.episode_progress (
    tenant_id text NOT NULL,
    read_to timestamp with time zone NOT NULL
);

ALTER TABLE ONLY public.episode_progress FORCE ROW LEVEL SECURITY;

CREATE TABLE public.erased_conversation (
    tenant_id text NOT NULL,
    conversation_hash bytea NOT NULL,
    version bigint NOT NULL,
    last_position bigint NOT NULL,
    last_sequence bigint NOT NULL,
    last_ordinal bigint NOT NULL,
    last_item bigint NOT NULL,
    erased_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

ALTER TABLE ONLY public.erased_conversation FORCE ROW LEVEL SECURITY;

CREATE TABLE public.guess (
    tenant_id text NOT NULL,
    day date NOT NULL,
    subject text NOT NULL,
    guesses integer NOT NULL
);

ALTER TABLE ONLY public.guess FORCE ROW LEVEL SECURITY;

CREATE TABLE public.inbox (
    tenant_id text NOT NULL,
    message_id text NOT NULL,
    conversation_id text NOT NULL,
    "position" bigint NOT NULL,
    channel text NOT NULL,
    state text DEFAULT 'accepted'::text NOT NULL,
    payload text,
    accepted_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    finished_at timestamp with time zone,
    sender_key text,
    CONSTRAINT inbox_finished_at_null_while_accepted CHECK (((state = 'accepted'::text) = (finished_at IS NULL))),
    CONSTRAINT inbox_payload_kept_while_needed CHECK (((state <> ALL (ARRAY['accepted'::text, 'dead'::text])) OR (payload IS NOT NULL))),
    CONSTRAINT inbox_state_is_known CHECK ((state = ANY (ARRAY['accepted'::text, 'answered'::text, 'dead'::text, 'erased'::text])))
)
WITH (fillfactor='80');

ALTER TABLE ONLY public.inbox FORCE ROW LEVEL SECURITY;

CREATE TABLE public.journal (
    tenant_id text NOT NULL,
    message_id text NOT NULL,
    step integer NOT NULL,
    input_hash text NOT NULL,
    response text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    model text DEFAULT ''::text NOT NULL,
    degraded boolean DEFAULT false NOT NULL
);

ALTER TABLE ONLY public.journal FORCE ROW LEVEL SECURITY;

CREATE TABLE public.legal_hold (
    tenant_id text NOT NULL,
    subject text NOT NULL,
    reason text NOT NULL,
    placed_by text NOT NULL,
    placed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT legal_hold_is_of_a_person_or_a_conversation CHECK ((subject ~ '^(person|conversation):.'::text))
);

ALTER TABLE ONLY public.legal_hold FORCE ROW LEVEL SECURITY;

CREATE TABLE public.mail_count (
    tenant_id text NOT NULL,
    kind text NOT NULL,
    counted text NOT NULL,
    hour timestamp with time zone NOT NULL,
    messages integer DEFAULT 1 NOT NULL
)
WITH (fillfactor='70');

ALTER TABLE ONLY public.mail_count FORCE ROW LEVEL SECURITY;

CREATE TABLE public.mail_message (
    tenant_id text NOT NULL,
    message_id text NOT NULL,
    conversation_id text NOT NULL,
    direction text NOT NULL,
    reference text NOT NULL,
    id_hash bytea,
    head text,
    seen_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT mail_message_direction_is_known CHECK ((direction = ANY (ARRAY['in'::text, 'out'::text]))),
    CONSTRAINT mail_message_id_hash_is_sha256 CHECK ((octet_length(id_hash) = 32))
);

ALTER TABLE ONLY public.mail_message FORCE ROW LEVEL SECURITY;

CREATE TABLE public.mail_token (
    tenant_id text NOT NULL,
    account_id text NOT NULL,
    token_hash bytea NOT NULL,
    mail_hash bytea NOT NULL,
    seen_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT mail_token_hash_is_sha256 CHECK ((octet_length(token_hash) = 32)),
    CONSTRAINT mail_token_mail_hash_is_sha256 CHECK ((octet_length(mail_hash) = 32))
);

ALTER TABLE ONLY public.mail_token FORCE ROW LEVEL SECURITY;

CREATE TABLE public.migration (
    number integer NOT NULL,
    name text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.outbox (
    tenant_id text NOT NULL,
    conversation_id text NOT NULL,
    ordinal bigint NOT NULL,
    kind text NOT NULL,
    channel text,
    entry_id text NOT NULL,
    sequence bigint NOT NULL,
    body text NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    published_at timestamp with time zone,
    stream_position bigint,
    by_person text,
    withdrawn_at timestamp with time zone,
    CONSTRAINT outbox_kind_is_known CHECK ((kind = ANY (ARRAY['reply'::text, 'escalation'::text, 'event'::text]))),
    CONSTRAINT outbox_reply_has_a_channel CHECK (((kind = 'reply'::text) = (channel IS NOT NULL)))
)
WITH (fillfactor='80');

ALTER TABLE ONLY public.outbox FORCE ROW LEVEL SECURITY;

CREATE TABLE public.person_backfill (
    tenant_id text NOT NULL,
    read_to text NOT NULL,
    finished_at timestamp with time zone
);

ALTER TABLE ONLY public.person_backfill FORCE ROW LEVEL SECURITY;

CREATE TABLE public.person_conversation (
    tenant_id text NOT NULL,
    person_key text NOT NULL,
    conversation_id text NOT NULL,
    first_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

ALTER TABLE ONLY public.person_conversation FORCE ROW LEVEL SECURITY;

CREATE TABLE public.reply_attempt (
    tenant_id text NOT NULL,
    reply_id text NOT NULL,
    part integer NOT NULL,
    number integer NOT NULL,
    begun_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    ended_at timestamp with time zone,
    outcome text,
    code text
);

ALTER TABLE ONLY public.reply_attempt FORCE ROW LEVEL SECURITY;

CREATE TABLE public.reply_conversation (
    tenant_id text NOT NULL,
    conversation_id text NOT NULL,
    channel text NOT NULL,
    last_ordinal bigint DEFAULT 0 NOT NULL
)
WITH (fillfactor='70');

ALTER TABLE ONLY public.reply_conversation FORCE ROW LEVEL SECURITY;

CREATE TABLE public.reply_delivery (
    tenant_id text NOT NULL,
    reply_id text NOT NULL,
    conversation_id text NOT NULL,
    ordinal bigint NOT NULL,
    channel text NOT NULL,
    account_id text NOT NULL,
    own_address text NOT NULL,
    own_group text,
    sender_key text NOT NULL,
    author text NOT NULL,
    state text DEFAULT 'waiting'::text NOT NULL,
    reason text,
    claims integer DEFAULT 0 NOT NULL,
    tries integer DEFAULT 0 NOT NULL,
    next_at timestamp with time zone,
    queued_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    finished_at timestamp with time zone,
    receipt text,
    receipt_code text,
    receipt_at timestamp with time zone,
    receipt_told_at timestamp with time zone,
    CONSTRAINT reply_delivery_author_is_known CHECK ((author = ANY (ARRAY['bot'::text, 'human'::text]))),
    CONSTRAINT reply_delivery_finished_at_null_while_it_waits CHECK (((state = 'waiting'::text) = (finished_at IS NULL))),
    CONSTRAINT reply_delivery_is_due_while_it_waits CHECK (((state = 'waiting'::text) OR (next_at IS NULL))),
    CONSTRAINT reply_delivery_receipt_has_a_time CHECK (((receipt IS NULL) = (receipt_at IS NULL))),
    CONSTRAINT reply_delivery_receipt_is_known CHECK ((receipt = ANY (ARRAY['delivered'::text, 'failed'::text, 'bounced'::text]))),
    CONSTRAINT reply_delivery_state_is_known CHECK ((state = ANY (ARRAY['waiting'::text, 'sent'::text, 'dead'::text, 'suppressed'::text, 'withheld'::text])))
)
WITH (fillfactor='70');

ALTER TABLE ONLY public.reply_delivery FORCE ROW LEVEL SECURITY;

CREATE TABLE public.reply_part (
    tenant_id text NOT NULL,
    reply_id text NOT NULL,
    number integer NOT NULL,
    batch integer DEFAULT 1 NOT NULL,
    content text,
    state text DEFAULT 'ready'::text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    provider_id text,
    status text,
    status_rank integer DEFAULT 0 NOT NULL,
    status_code text,
    status_at timestamp with time zone,
    failure_seen_at timestamp with time zone,
    CONSTRAINT reply_part_content_kept_while_needed CHECK (((content IS NOT NULL) OR (state <> ALL (ARRAY['ready'::text, 'sending'::text, 'unknown'::text])))),
    CONSTRAINT reply_part_state_is_known CHECK ((state = ANY (ARRAY['held'::text, 'ready'::text, 'sending'::text, 'unknown'::text, 'accepted'::text, 'failed'::text])))
)
WITH (fillfactor='70');

ALTER TABLE ONLY public.reply_part FORCE ROW LEVEL SECURITY;

CREATE TABLE public.resolution (
    tenant_id text NOT NULL,
    conversation_id text NOT NULL,
    "position" bigint NOT NULL,
    resolved_at timestamp with time zone NOT NULL,
    resolved_by text NOT NULL,
    taken_up_at timestamp with time zone,
    CONSTRAINT resolution_names_a_person CHECK (((length(resolved_by) >= 1) AND (length(resolved_by) <= 200)))
);

ALTER TABLE ONLY public.resolution FORCE ROW LEVEL SECURITY;

CREATE TABLE public.section_embedding (
    tenant_id text NOT NULL,
    model text NOT NULL,
    text_hash text NOT NULL,
    embedding real[] NOT NULL,
    CONSTRAINT section_embedding_has_numbers CHECK ((cardinality(embedding) > 0))
);

ALTER TABLE ONLY public.section_embedding FORCE ROW LEVEL SECURITY;

CREATE TABLE public.session_item (
    tenant_id text NOT NULL,
    conversation_id text NOT NULL,
    ordinal bigint NOT NULL,
    turn bigint NOT NULL,
    item jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    sender_key text
);

ALTER TABLE ONLY public.session_item FORCE ROW LEVEL SECURITY;

CREATE TABLE public.span (
    tenant_id text NOT NULL,
    conversation_id text NOT NULL,
    span_id text NOT NULL,
    parent_id text,
    turn_id text,
    "position" bigint,
    attempt integer DEFAULT 0 NOT NULL,
    kind text NOT NULL,
    name text NOT NULL,
    started_at timestamp with time zone NOT NULL,
    milliseconds real NOT NULL,
    error text,
    attributes jsonb DEFAULT '{}'::jsonb NOT NULL,
    CONSTRAINT span_id_is_16_hex_digits CHECK ((span_id ~ '^[0-9a-f]{16}$'::text))
);

ALTER TABLE ONLY public.span FORCE ROW LEVEL SECURITY;

CREATE TABLE public.stream_group (
    tenant_id text NOT NULL,
    kind text NOT NULL,
    channel text NOT NULL,
    name text NOT NULL,
    "position" bigint NOT NULL,
    life bigint NOT NULL,
    moved_at timestamp with time zone DEFAULT now() NOT NULL,
    aside_at timestamp with time zone,
    CONSTRAINT stream_group_name_is_short CHECK (((length(name) >= 1) AND (length(name) <= 200)))
);

ALTER TABLE ONLY public.stream_group FORCE ROW LEVEL SECURITY;

CREATE TABLE public.switch (
    tenant_id text NOT NULL,
    kind text NOT NULL,
    name text NOT NULL,
    off_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    off_until timestamp with time zone,
    off_by text NOT NULL,
    reason text NOT NULL,
    CONSTRAINT switch_ends_after_it_begins CHECK ((off_until > off_at))
);

ALTER TABLE ONLY public.switch FORCE ROW LEVEL SECURITY;

CREATE TABLE public.tenant (
    tenant_id text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    stream_life bigint DEFAULT 0 NOT NULL,
    brand text,
    suspended_at timestamp with time zone,
    suspended_by text,
    suspended_because text,
    deleting_since timestamp with time zone,
    CONSTRAINT tenant_brand_is_short_and_plain CHECK ((((char_length(brand) >= 1) AND (char_length(brand) <= 80)) AND (brand !~ '[[:cntrl:]{}]'::text))),
    CONSTRAINT tenant_id_is_short_and_plain CHECK ((tenant_id ~ '^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$'::text))
);

ALTER TABLE ONLY public.tenant FORCE ROW LEVEL SECURITY;

CREATE TABLE public.tenant_proof_secret (
    only_row boolean DEFAULT true NOT NULL,
    secret bytea NOT NULL,
    CONSTRAINT tenant_proof_secret_has_one_row CHECK (only_row)
);

CREATE TABLE public.tenant_settings (
    tenant_id text NOT NULL,
    version bigint NOT NULL,
    settings jsonb NOT NULL,
    changed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    changed_by text NOT NULL,
    reason text,
    restores bigint,
    CONSTRAINT tenant_settings_version_is_positive CHECK ((version > 0))
);

ALTER TABLE ONLY public.tenant_settings FORCE ROW LEVEL SECURITY;

CREATE TABLE public.ticket (
    tenant_id text NOT NULL,
    ticket_id text NOT NULL,
    conversation_id text NOT NULL,
    category text NOT NULL,
    priority text NOT NULL,
    opened_at timestamp with time zone DEFAULT now() NOT NULL,
    answer_by timestamp with time zone NOT NULL,
    closed_at timestamp with time zone,
    sender_key text,
    closed_by text,
    closed_because text
);

ALTER TABLE ONLY public.ticket FORCE ROW LEVEL SECURITY;

CREATE TABLE public.tool_journal (
    tenant_id text NOT NULL,
    message_id text NOT NULL,
    call_id text NOT NULL,
    tool text NOT NULL,
    input_hash text NOT NULL,
    delta text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ONLY public.tool_journal FORCE ROW LEVEL SECURITY;

CREATE TABLE public.turn (
    tenant_id text NOT NULL,
    conversation_id text NOT NULL,
    number bigint NOT NULL,
    message_ids text[] NOT NULL,
    outcome text NOT NULL,
    agent text,
    attempts integer NOT NULL,
    started_at timestamp with time zone NOT NULL,
    committed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    timings jsonb NOT NULL,
    model_calls jsonb DEFAULT '[]'::jsonb NOT NULL,
    verdicts jsonb DEFAULT '[]'::jsonb NOT NULL,
    tool_calls jsonb DEFAULT '[]'::jsonb NOT NULL,
    CONSTRAINT turn_outcome_is_known CHECK ((outcome = ANY (ARRAY['answered'::text, 'refused'::text, 'escalated'::text, 'forwarded'::text, 'ignored'::text, 'dead'::text])))
);

ALTER TABLE ONLY public.turn FORCE ROW LEVEL SECURITY;

CREATE TABLE public.usage_day (
    tenant_id text NOT NULL,
    day date NOT NULL,
    cost_usd numeric NOT NULL
)
WITH (fillfactor='50');

ALTER TABLE ONLY public.usage_day FORCE ROW LEVEL SECURITY;

CREATE TABLE public.usage_record (
    usage_record_id bigint NOT NULL,
    tenant_id text NOT NULL,
    conversation_id text NOT NULL,
    message_id text NOT NULL,
    step integer NOT NULL,
    model text NOT NULL,
    degraded boolean NOT NULL,
    input_tokens integer NOT NULL,
    cached_tokens integer NOT NULL,
    output_tokens integer NOT NULL,
    cost_usd numeric,
    milliseconds double precision NOT NULL,
    retries integer NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT usage_cached_is_part_of_input CHECK (((cached_tokens >= 0) AND (cached_tokens <= input_tokens))),
    CONSTRAINT usage_input_not_negative CHECK ((input_tokens >= 0)),
    CONSTRAINT usage_output_not_negative CHECK ((output_tokens >= 0))
);

ALTER TABLE ONLY public.usage_record FORCE ROW LEVEL SECURITY;

ALTER TABLE public.usage_record ALTER COLUMN usage_record_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.usage_record_usage_record_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.webhook_attempt (
    tenant_id text NOT NULL,
    target_id text NOT NULL,
    event_id text NOT NULL,
    number integer NOT NULL,
    begun_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    ended_at timestamp with time zone,
    outcome text,
    status integer
);

ALTER TABLE ONLY public.webhook_attempt FORCE ROW LEVEL SECURITY;

CREATE TABLE public.webhook_conversation (
    tenant_id text NOT NULL,
    conversation_id text NOT NULL,
    last_ordinal bigint DEFAULT 0 NOT NULL,
    last_episode bigint DEFAULT 0 NOT NULL,
    last_sequence bigint DEFAULT 0 NOT NULL
)
WITH (fillfactor='70');

ALTER TABLE ONLY public.webhook_conversation FORCE ROW LEVEL SECURITY;

CREATE TABLE public.webhook_delivery (
    tenant_id text NOT NULL,
    target_id text NOT NULL,
    event_id text NOT NULL,
    conversation_id text NOT NULL,
    sequence bigint NOT NULL,
    state text DEFAULT 'waiting'::text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    tries integer DEFAULT 0 NOT NULL,
    next_at timestamp with time zone,
    queued_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    finished_at timestamp with time zone,
    CONSTRAINT webhook_delivery_finished_at_null_while_it_waits CHECK (((state = 'waiting'::text) = (finished_at IS NULL))),
    CONSTRAINT webhook_delivery_is_due_while_it_waits CHECK (((state = 'waiting'::text) OR (next_at IS NULL))),
    CONSTRAINT webhook_delivery_state_is_known CHECK ((state = ANY (ARRAY['waiting'::text, 'delivered'::text, 'dead'::text])))
)
WITH (fillfactor='70');

ALTER TABLE ONLY public.webhook_delivery FORCE ROW LEVEL SECURITY;

CREATE TABLE public.webhook_event (
    tenant_id text NOT NULL,
    event_id text NOT NULL,
    conversation_id text NOT NULL,
    sequence bigint NOT NULL,
    type text NOT NULL,
    body text NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

ALTER TABLE ONLY public.webhook_event FORCE ROW LEVEL SECURITY;

CREATE TABLE public.webhook_target (
    tenant_id text NOT NULL,
    target_id text NOT NULL,
    url text NOT NULL,
    event_types text[] DEFAULT '{}'::text[] NOT NULL,
    secret text NOT NULL,
    old_secret text,
    old_secret_until timestamp with time zone,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    paused_until timestamp with time zone,
    failing_since timestamp with time zone,
    disabled_at timestamp with time zone,
    disabled_reason text,
    CONSTRAINT webhook_old_secret_ends CHECK (((old_secret IS NULL) = (old_secret_until IS NULL))),
    CONSTRAINT webhook_target_id_is_plain CHECK ((target_id ~ '^wt_[0-9a-f]{16}$'::text)),
    CONSTRAINT webhook_target_is_disabled_for_a_reason CHECK (((disabled_at IS NULL) = (disabled_reason IS NULL))),
    CONSTRAINT webhook_url_is_short CHECK (((length(url) >= 1) AND (length(url) <= 2000)))
);

ALTER TABLE ONLY public.webhook_target FORCE ROW LEVEL SECURITY;

ALTER TABLE ONLY public.accepted_id
    ADD CONSTRAINT accepted_id_pkey PRIMARY KEY (tenant_id, message_hash);

ALTER TABLE ONLY public.airport
    ADD CONSTRAINT airport_pkey PRIMARY KEY (tenant_id, code);

ALTER TABLE ONLY public.api_key
    ADD CONSTRAINT api_key_pkey PRIMARY KEY (key_id);

ALTER TABLE ONLY public.approval
    ADD CONSTRAINT approval_pkey PRIMARY KEY (tenant_id, approval_id);

ALTER TABLE ONLY public.article
    ADD CONSTRAINT article_pkey PRIMARY KEY (tenant_id, slug);

ALTER TABLE ONLY public.article_section
    ADD CONSTRAINT article_section_pkey PRIMARY KEY (tenant_id, slug, section_number);

ALTER TABLE ONLY public.audit_chain
    ADD CONSTRAINT audit_chain_pkey PRIMARY KEY (tenant_id);

ALTER TABLE ONLY public.audit_detail
    ADD CONSTRAINT audit_detail_pkey PRIMARY KEY (tenant_id, number);

ALTER TABLE ONLY public.audit_entry
    ADD CONSTRAINT audit_entry_pkey PRIMARY KEY (tenant_id, number);

ALTER TABLE ONLY public.channel_account
    ADD CONSTRAINT channel_account_pkey PRIMARY KEY (tenant_id, account_id);

ALTER TABLE ONLY public.channel_command
    ADD CONSTRAINT channel_command_pkey PRIMARY KEY (tenant_id, message_id);

ALTER TABLE ONLY public.channel_suppression
    ADD CONSTRAINT channel_suppression_pkey PRIMARY KEY (tenant_id, channel, own_address, sender_key);

ALTER TABLE ONLY public.collected_stream
    ADD CONSTRAINT collected_stream_pkey PRIMARY KEY (tenant_id, kind, channel);

ALTER TABLE ONLY public.reservation
    ADD CONSTRAINT confirmation_number_names_one_reservation UNIQUE (tenant_id, confirmation_number);

ALTER TABLE ONLY public.conversation_key
    ADD CONSTRAINT conversation_key_pkey PRIMARY KEY (tenant_id, conversation_id);

ALTER TABLE ONLY public.conversation
    ADD CONSTRAINT conversation_pkey PRIMARY KEY (tenant_id, conversation_id);

ALTER TABLE ONLY public.conversation_route
    ADD CONSTRAINT conversation_route_pkey PRIMARY KEY (tenant_id, conversation_id, sender_key);

ALTER TABLE ONLY public.conversation_sender
    ADD CONSTRAINT conversation_sender_pkey PRIMARY KEY (tenant_id, conversation_id, sender_key);

ALTER TABLE ONLY public.customer
    ADD CONSTRAINT customer_pkey PRIMARY KEY (tenant_id, customer_id);

ALTER TABLE ONLY public.cut_entry
    ADD CONSTRAINT cut_entry_pkey PRIMARY KEY (tenant_id, kind, channel, "position");

ALTER TABLE ONLY public.dead_letter
    ADD CONSTRAINT dead_letter_pkey PRIMARY KEY (dead_letter_id);

ALTER TABLE ONLY public.deleted_tenant
    ADD CONSTRAINT deleted_tenant_pkey PRIMARY KEY (tenant_id);

ALTER TABLE ONLY public.deployment
    ADD CONSTRAINT deployment_pkey PRIMARY KEY (only_row);

ALTER TABLE ONLY public.desk_act
    ADD CONSTRAINT desk_act_pkey PRIMARY KEY (tenant_id, conversation_id, number);

ALTER TABLE ONLY public.desk_member
    ADD CONSTRAINT desk_member_pkey PRIMARY KEY (tenant_id, person);

ALTER TABLE ONLY public.episode
    ADD CONSTRAINT episode_begins_once UNIQUE (tenant_id, conversation_id, first_position);

ALTER TABLE ONLY public.episode
    ADD CONSTRAINT episode_pkey PRIMARY KEY (tenant_id, conversation_id, number);

ALTER TABLE ONLY public.episode_progress
    ADD CONSTRAINT episode_progress_pkey PRIMARY KEY (tenant_id);

ALTER TABLE ONLY public.erased_conversation
    ADD CONSTRAINT erased_conversation_pkey PRIMARY KEY (tenant_id, conversation_hash);

ALTER TABLE ONLY public.fare
    ADD CONSTRAINT fare_pkey PRIMARY KEY (tenant_id, flight_number, flight_date, cabin);

ALTER TABLE ONLY public.flight_date
    ADD CONSTRAINT flight_date_pkey PRIMARY KEY (tenant_id, flight_number, flight_date);

ALTER TABLE ONLY public.flight
    ADD CONSTRAINT flight_pkey PRIMARY KEY (tenant_id, flight_number);

ALTER TABLE ONLY public.guess
    ADD CONSTRAINT guess_pkey PRIMARY KEY (tenant_id, day, subject);

ALTER TABLE ONLY public.inbox
    ADD CONSTRAINT inbox_pkey PRIMARY KEY (tenant_id, message_id);

ALTER TABLE ONLY public.inbox
    ADD CONSTRAINT inbox_position_is_given_once UNIQUE (conversation_id, tenant_id, "position");

ALTER TABLE ONLY public.journal
    ADD CONSTRAINT journal_pkey PRIMARY KEY (tenant_id, message_id, step);

ALTER TABLE ONLY public.legal_hold
    ADD CONSTRAINT legal_hold_pkey PRIMARY KEY (tenant_id, subject);

ALTER TABLE ONLY public.mail_count
    ADD CONSTRAINT mail_count_pkey PRIMARY KEY (tenant_id, kind, counted, hour);

ALTER TABLE ONLY public.mail_message
    ADD CONSTRAINT mail_message_pkey PRIMARY KEY (tenant_id, message_id);

ALTER TABLE ONLY public.mail_token
    ADD CONSTRAINT mail_token_pkey PRIMARY KEY (tenant_id, account_id, token_hash);

ALTER TABLE ONLY public.migration
    ADD CONSTRAINT migration_pkey PRIMARY KEY (number);

ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (tenant_id, conversation_id, ordinal);

ALTER TABLE ONLY public.seat
    ADD CONSTRAINT passenger_has_one_seat_on_a_flight UNIQUE (tenant_id, reservation_id, passenger_number, flight_number, flight_date);

ALTER TABLE ONLY public.payment_method
    ADD CONSTRAINT payment_method_pkey PRIMARY KEY (tenant_id, customer_id, method_number);

ALTER TABLE ONLY public.person_backfill
    ADD CONSTRAINT person_backfill_pkey PRIMARY KEY (tenant_id);

ALTER TABLE ONLY public.person_conversation
    ADD CONSTRAINT person_conversation_pkey PRIMARY KEY (tenant_id, person_key, conversation_id);

ALTER TABLE ONLY public.reply_attempt
    ADD CONSTRAINT reply_attempt_pkey PRIMARY KEY (tenant_id, reply_id, part, number);

ALTER TABLE ONLY public.reply_conversation
    ADD CONSTRAINT reply_conversation_pkey PRIMARY KEY (tenant_id, conversation_id, channel);

ALTER TABLE ONLY public.reply_delivery
    ADD CONSTRAINT reply_delivery_pkey PRIMARY KEY (tenant_id, reply_id);

ALTER TABLE ONLY public.reply_part
    ADD CONSTRAINT reply_part_pkey PRIMARY KEY (tenant_id, reply_id, number);

ALTER TABLE ONLY public.reservation_change
    ADD CONSTRAINT reservation_change_has_a_version_of_its_own UNIQUE (tenant_id, reservation_id, version);

ALTER TABLE ONLY public.reservation_change
    ADD CONSTRAINT reservation_change_pkey PRIMARY KEY (tenant_id, conversation_id, tool_call_id);

ALTER TABLE ONLY public.reservation_passenger
    ADD CONSTRAINT reservation_passenger_pkey PRIMARY KEY (tenant_id, reservation_id, passenger_number);

ALTER TABLE ONLY public.reservation
    ADD CONSTRAINT reservation_pkey PRIMARY KEY (tenant_id, reservation_id);

ALTER TABLE ONLY public.reservation_segment
    ADD CONSTRAINT reservation_segment_pkey PRIMARY KEY (tenant_id, reservation_id, segment_number);

ALTER TABLE ONLY public.resolution
    ADD CONSTRAINT resolution_pkey PRIMARY KEY (tenant_id, conversation_id, "position");

ALTER TABLE ONLY public.seat
    ADD CONSTRAINT seat_belongs_to_one_passenger PRIMARY KEY (tenant_id, flight_number, flight_date, seat_number);

ALTER TABLE ONLY public.section_embedding
    ADD CONSTRAINT section_embedding_pkey PRIMARY KEY (tenant_id, model, text_hash);

ALTER TABLE ONLY public.reservation_segment
    ADD CONSTRAINT segment_is_booked_once UNIQUE (tenant_id, reservation_id, flight_number, flight_date);

ALTER TABLE ONLY public.session_item
    ADD CONSTRAINT session_item_pkey PRIMARY KEY (tenant_id, conversation_id, ordinal);

ALTER TABLE ONLY public.span
    ADD CONSTRAINT span_pkey PRIMARY KEY (tenant_id, conversation_id, span_id);

ALTER TABLE ONLY public.stream_group
    ADD CONSTRAINT stream_group_pkey PRIMARY KEY (tenant_id, kind, channel, name);

ALTER TABLE ONLY public.switch
    ADD CONSTRAINT switch_pkey PRIMARY KEY (tenant_id, kind, name);

ALTER TABLE ONLY public.tenant
    ADD CONSTRAINT tenant_pkey PRIMARY KEY (tenant_id);

ALTER TABLE ONLY public.tenant_proof_secret
    ADD CONSTRAINT tenant_proof_secret_pkey PRIMARY KEY (only_row);

ALTER TABLE ONLY public.tenant_settings
    ADD CONSTRAINT tenant_settings_pkey PRIMARY KEY (tenant_id, version);

ALTER TABLE ONLY public.ticket
    ADD CONSTRAINT ticket_pkey PRIMARY KEY (tenant_id, ticket_id);

ALTER TABLE ONLY public.tool_journal
    ADD CONSTRAINT tool_journal_pkey PRIMARY KEY (tenant_id, message_id, call_id);

ALTER TABLE ONLY public.turn
    ADD CONSTRAINT turn_pkey PRIMARY KEY (tenant_id, conversation_id, number);

ALTER TABLE ONLY public.usage_day
    ADD CONSTRAINT usage_day_pkey PRIMARY KEY (tenant_id, day);

ALTER TABLE ONLY public.usage_record
    ADD CONSTRAINT usage_record_pkey PRIMARY KEY (usage_record_id);

ALTER TABLE ONLY public.webhook_attempt
    ADD CONSTRAINT webhook_attempt_pkey PRIMARY KEY (tenant_id, target_id, event_id, number);

ALTER TABLE ONLY public.webhook_conversation
    ADD CONSTRAINT webhook_conversation_pkey PRIMARY KEY (tenant_id, conversation_id);

ALTER TABLE ONLY public.webhook_delivery
    ADD CONSTRAINT webhook_delivery_pkey PRIMARY KEY (tenant_id, target_id, event_id);

ALTER TABLE ONLY public.webhook_event
    ADD CONSTRAINT webhook_event_pkey PRIMARY KEY (tenant_id, event_id);

ALTER TABLE ONLY public.webhook_target
    ADD CONSTRAINT webhook_target_pkey PRIMARY KEY (tenant_id, target_id);

CREATE INDEX api_key_tenant ON public.api_key USING btree (tenant_id);

CREATE INDEX approval_conversation ON public.approval USING btree (tenant_id, conversation_id);

CREATE UNIQUE INDEX approval_decision ON public.approval USING btree (tenant_id, decision_message) WHERE (decision_message IS NOT NULL);

CREATE INDEX approval_waiting ON public.approval USING btree (tenant_id, expires_at, approval_id) WHERE (state = 'waiting'::text);

CREATE INDEX audit_detail_conversation ON public.audit_detail USING btree (tenant_id, conversation_id) WHERE (conversation_id IS NOT NULL);

CREATE INDEX audit_entry_at ON public.audit_entry USING btree (tenant_id, at);

CREATE INDEX channel_account_addresses ON public.channel_account USING gin (((settings -> 'addresses'::text))) WHERE (channel = 'email'::text);

CREATE INDEX conversation_desk ON public.conversation USING btree (tenant_id, answer_by, conversation_id) WHERE (desk_state = ANY (ARRAY['waiting'::text, 'human'::text]));

CREATE INDEX conversation_resolved ON public.conversation USING btree (tenant_id, resolved_at, conversation_id) WHERE (desk_state = 'resolved'::text);

CREATE INDEX conversation_route_account ON public.conversation_route USING btree (tenant_id, account_id);

CREATE INDEX customer_email ON public.customer USING btree (tenant_id, email);

CREATE INDEX customer_phone ON public.customer USING btree (tenant_id, phone);

CREATE INDEX dead_letter_conversation ON public.dead_letter USING btree (tenant_id, conversation_id);

CREATE UNIQUE INDEX dead_letter_entry_is_kept_once ON public.dead_letter USING btree (tenant_id, conversation_id, entry) WHERE (entry IS NOT NULL);

CREATE UNIQUE INDEX desk_act_request ON public.desk_act USING btree (tenant_id, conversation_id, request_id) WHERE (request_id IS NOT NULL);

CREATE INDEX episode_look ON public.episode USING btree (look_at) WHERE (closed_at IS NULL);

CREATE INDEX episode_noted ON public.episode USING btree (tenant_id, noted_at) WHERE (closed_at IS NOT NULL);

CREATE UNIQUE INDEX episode_open ON public.episode USING btree (tenant_id, conversation_id) WHERE (closed_at IS NULL);

CREATE INDEX flight_route ON public.flight USING btree (tenant_id, origin, destination);

CREATE INDEX guess_day ON public.guess USING btree (day);

CREATE INDEX inbox_accepted ON public.inbox USING btree (accepted_at, tenant_id, message_id) WHERE (state = 'accepted'::text);

CREATE INDEX mail_count_hour ON public.mail_count USING btree (hour);

CREATE INDEX mail_message_conversation ON public.mail_message USING btree (tenant_id, conversation_id);

CREATE INDEX mail_message_id_hash ON public.mail_message USING btree (tenant_id, id_hash) WHERE (id_hash IS NOT NULL);

CREATE INDEX mail_message_reference ON public.mail_message USING btree (tenant_id, reference);

CREATE INDEX mail_message_seen ON public.mail_message USING btree (seen_at);

CREATE INDEX mail_token_seen ON public.mail_token USING btree (seen_at);

CREATE UNIQUE INDEX outbox_entry ON public.outbox USING btree (tenant_id, entry_id);

CREATE UNIQUE INDEX outbox_reply_sequence ON public.outbox USING btree (tenant_id, conversation_id, sequence) WHERE (kind = 'reply'::text);

CREATE INDEX outbox_stream_position ON public.outbox USING btree (tenant_id, kind, stream_position) WHERE (stream_position IS NOT NULL);

CREATE INDEX outbox_unpublished ON public.outbox USING btree (created_at) WHERE (published_at IS NULL);

CREATE INDEX person_conversation_of ON public.person_conversation USING btree (tenant_id, conversation_id);

CREATE INDEX reply_delivery_conversation ON public.reply_delivery USING btree (tenant_id, conversation_id, ordinal);

CREATE INDEX reply_delivery_due ON public.reply_delivery USING btree (tenant_id, account_id, next_at) WHERE (next_at IS NOT NULL);

CREATE INDEX reply_delivery_finished ON public.reply_delivery USING btree (finished_at) WHERE (finished_at IS NOT NULL);

CREATE INDEX reply_delivery_receipt ON public.reply_delivery USING btree (tenant_id, receipt_at) WHERE ((receipt_told_at IS NULL) AND (receipt IS NOT NULL));

CREATE INDEX reply_delivery_sender ON public.reply_delivery USING btree (tenant_id, sender_key);

CREATE INDEX reply_delivery_waiting ON public.reply_delivery USING btree (tenant_id, conversation_id, channel, ordinal) WHERE (state = 'waiting'::text);

CREATE INDEX reply_part_failed ON public.reply_part USING btree (status_at) WHERE ((status_code IS NOT NULL) AND (failure_seen_at IS NULL));

CREATE INDEX reply_part_provider ON public.reply_part USING btree (tenant_id, provider_id) WHERE (provider_id IS NOT NULL);

CREATE UNIQUE INDEX reservation_change_one_certificate_for_a_reason ON public.reservation_change USING btree (tenant_id, reservation_id, ((details ->> 'reason'::text))) WHERE (kind = 'issue_certificate'::text);

CREATE INDEX reservation_customer ON public.reservation USING btree (tenant_id, customer_id);

CREATE INDEX resolution_open ON public.resolution USING btree (resolved_at) WHERE (taken_up_at IS NULL);

CREATE INDEX span_age ON public.span USING brin (started_at);

CREATE INDEX ticket_conversation ON public.ticket USING btree (tenant_id, conversation_id);

CREATE INDEX turn_committed ON public.turn USING btree (tenant_id, committed_at);

CREATE INDEX usage_record_at ON public.usage_record USING btree (tenant_id, at);

CREATE INDEX webhook_delivery_due ON public.webhook_delivery USING btree (tenant_id, target_id, next_at) WHERE (next_at IS NOT NULL);

CREATE INDEX webhook_delivery_event ON public.webhook_delivery USING btree (tenant_id, event_id);

CREATE INDEX webhook_delivery_waiting ON public.webhook_delivery USING btree (tenant_id, conversation_id, target_id, sequence) WHERE (state = 'waiting'::text);

CREATE INDEX webhook_event_created ON public.webhook_event USING btree (created_at);

CREATE TRIGGER audit_chain_is_kept BEFORE DELETE ON public.audit_chain FOR EACH ROW EXECUTE FUNCTION public.refuse_audit_change();

CREATE TRIGGER audit_detail_is_kept BEFORE DELETE ON public.audit_detail FOR EACH ROW EXECUTE FUNCTION public.refuse_audit_change();

CREATE TRIGGER audit_entry_is_kept BEFORE DELETE OR UPDATE ON public.audit_entry FOR EACH ROW EXECUTE FUNCTION public.refuse_audit_change();

CREATE TRIGGER audit_entry_is_not_truncated BEFORE TRUNCATE ON public.audit_entry FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_audit_change();

CREATE TRIGGER conversation_follows_owner BEFORE UPDATE OF owner ON public.conversation FOR EACH ROW WHEN (((old.owner IS DISTINCT FROM new.owner) AND (old.desk_version = new.desk_version))) EXECUTE FUNCTION public.follow_owner();

CREATE TRIGGER conversation_hears_customer BEFORE UPDATE OF last_position ON public.conversation FOR EACH ROW WHEN (((new.last_position > old.last_position) AND ((old.desk_state = 'resolved'::text) OR (old.owner = 'human'::text)))) EXECUTE FUNCTION public.hear_customer();

CREATE TRIGGER inbox_notes_person AFTER INSERT ON public.inbox FOR EACH ROW WHEN ((new.sender_key IS NOT NULL)) EXECUTE FUNCTION public.note_person();

CREATE TRIGGER inbox_notes_person_late AFTER UPDATE OF sender_key ON public.inbox FOR EACH ROW WHEN (((new.sender_key IS NOT NULL) AND (old.sender_key IS NULL))) EXECUTE FUNCTION public.note_person();

CREATE TRIGGER ticket_makes_wait AFTER INSERT ON public.ticket FOR EACH ROW EXECUTE FUNCTION public.wait_for_human();

ALTER TABLE ONLY public.airport
    ADD CONSTRAINT airport_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenant(tenant_id);

ALTER TABLE ONLY public.api_key
    ADD CONSTRAINT api_key_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenant(tenant_id);

ALTER TABLE ONLY public.approval
    ADD CONSTRAINT approval_tenant_id_conversation_id_fkey FOREIGN KEY (tenant_id, conversation_id) REFERENCES public.conversation(tenant_id, conversation_id);

ALTER TABLE ONLY public.article_section
    ADD CONSTRAINT article_section_tenant_id_slug_fkey FOREIGN KEY (tenant_id, slug) REFERENCES public.article(tenant_id, slug) ON DELETE CASCADE;

ALTER TABLE ONLY public.article
    ADD CONSTRAINT article_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenant(tenant_id);

ALTER TABLE ONLY public.channel_account
    ADD CONSTRAINT channel_account_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenant(tenant_id);

ALTER TABLE ONLY public.channel_command
    ADD CONSTRAINT channel_command_tenant_id_account_id_fkey FOREIGN KEY (tenant_id, account_id) REFERENCES public.channel_account(tenant_id, account_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.channel_suppression
    ADD CONSTRAINT channel_suppression_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenant(tenant_id);

ALTER TABLE ONLY public.collected_stream
    ADD CONSTRAINT collected_stream_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenant(tenant_id);

ALTER TABLE ONLY public.conversation_route
    ADD CONSTRAINT conversation_route_tenant_id_account_id_fkey FOREIGN KEY (tenant_id, account_id) REFERENCES public.channel_account(tenant_id, account_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.conversation_sender
    ADD CONSTRAINT conversation_sender_tenant_id_conversation_id_fkey FOREIGN KEY (tenant_id, conversation_id) REFERENCES public.conversation(tenant_id, conversation_id);

ALTER TABLE ONLY public.conversation
    ADD CONSTRAINT conversation_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenant(tenant_id);

ALTER TABLE ONLY public.customer
    ADD CONSTRAINT customer_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenant(tenant_id);

ALTER TABLE ONLY public.cut_entry
    ADD CONSTRAINT cut_entry_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenant(tenant_id);

ALTER TABLE ONLY public.desk_act
    ADD CONSTRAINT desk_act_tenant_id_conversation_id_fkey FOREIGN KEY (tenant_id, conversation_id) REFERENCES public.conversation(tenant_id, conversation_id);

ALTER TABLE ONLY public.desk_member
    ADD CONSTRAINT desk_member_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenant(tenant_id);

ALTER TABLE ONLY public.episode_progress
    ADD CONSTRAINT episode_progress_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenant(tenant_id);

ALTER TABLE ONLY public.episode
    ADD CONSTRAINT episode_tenant_id_conversation_id_fkey FOREIGN KEY (tenant_id, conversation_id) REFERENCES public.conversation(tenant_id, conversation_id);

ALTER TABLE ONLY public.fare
    ADD CONSTRAINT fare_tenant_id_flight_number_flight_date_fkey FOREIGN KEY (tenant_id, flight_number, flight_date) REFERENCES public.flight_date(tenant_id, flight_number, flight_date);

ALTER TABLE ONLY public.flight_date
    ADD CONSTRAINT flight_date_tenant_id_flight_number_fkey FOREIGN KEY (tenant_id, flight_number) REFERENCES public.flight(tenant_id, flight_number);

ALTER TABLE ONLY public.flight
    ADD CONSTRAINT flight_tenant_id_destination_fkey FOREIGN KEY (tenant_id, destination) REFERENCES public.airport(tenant_id, code);

ALTER TABLE ONLY public.flight
    ADD CONSTRAINT flight_tenant_id_origin_fkey FOREIGN KEY (tenant_id, origin) REFERENCES public.airport(tenant_id, code);

ALTER TABLE ONLY public.guess
    ADD CONSTRAINT guess_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenant(tenant_id);

ALTER TABLE ONLY public.inbox
    ADD CONSTRAINT inbox_tenant_id_conversation_id_fkey FOREIGN KEY (tenant_id, conversation_id) REFERENCES public.conversation(tenant_id, conversation_id);

ALTER TABLE ONLY public.mail_token
    ADD CONSTRAINT mail_token_tenant_id_account_id_fkey FOREIGN KEY (tenant_id, account_id) REFERENCES public.channel_account(tenant_id, account_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_tenant_id_conversation_id_fkey FOREIGN KEY (tenant_id, conversation_id) REFERENCES public.conversation(tenant_id, conversation_id);

ALTER TABLE ONLY public.payment_method
    ADD CONSTRAINT payment_method_tenant_id_customer_id_fkey FOREIGN KEY (tenant_id, customer_id) REFERENCES public.customer(tenant_id, customer_id);

ALTER TABLE ONLY public.reply_attempt
    ADD CONSTRAINT reply_attempt_tenant_id_reply_id_part_fkey FOREIGN KEY (tenant_id, reply_id, part) REFERENCES public.reply_part(tenant_id, reply_id, number) ON DELETE CASCADE;

ALTER TABLE ONLY public.reply_delivery
    ADD CONSTRAINT reply_delivery_tenant_id_account_id_fkey FOREIGN KEY (tenant_id, account_id) REFERENCES public.channel_account(tenant_id, account_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.reply_part
    ADD CONSTRAINT reply_part_tenant_id_reply_id_fkey FOREIGN KEY (tenant_id, reply_id) REFERENCES public.reply_delivery(tenant_id, reply_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.reservation_change
    ADD CONSTRAINT reservation_change_tenant_id_reservation_id_fkey FOREIGN KEY (tenant_id, reservation_id) REFERENCES public.reservation(tenant_id, reservation_id);

ALTER TABLE ONLY public.reservation_passenger
    ADD CONSTRAINT reservation_passenger_tenant_id_reservation_id_fkey FOREIGN KEY (tenant_id, reservation_id) REFERENCES public.reservation(tenant_id, reservation_id);

ALTER TABLE ONLY public.reservation_segment
    ADD CONSTRAINT reservation_segment_tenant_id_flight_number_flight_date_fkey FOREIGN KEY (tenant_id, flight_number, flight_date) REFERENCES public.flight_date(tenant_id, flight_number, flight_date);

ALTER TABLE ONLY public.reservation_segment
    ADD CONSTRAINT reservation_segment_tenant_id_reservation_id_fkey FOREIGN KEY (tenant_id, reservation_id) REFERENCES public.reservation(tenant_id, reservation_id);

ALTER TABLE ONLY public.reservation
    ADD CONSTRAINT reservation_tenant_id_customer_id_fkey FOREIGN KEY (tenant_id, customer_id) REFERENCES public.customer(tenant_id, customer_id);

ALTER TABLE ONLY public.resolution
    ADD CONSTRAINT resolution_tenant_id_conversation_id_fkey FOREIGN KEY (tenant_id, conversation_id) REFERENCES public.conversation(tenant_id, conversation_id);

ALTER TABLE ONLY public.seat
    ADD CONSTRAINT seat_tenant_id_reservation_id_flight_number_flight_date_fkey FOREIGN KEY (tenant_id, reservation_id, flight_number, flight_date) REFERENCES public.reservation_segment(tenant_id, reservation_id, flight_number, flight_date);

ALTER TABLE ONLY public.seat
    ADD CONSTRAINT seat_tenant_id_reservation_id_passenger_number_fkey FOREIGN KEY (tenant_id, reservation_id, passenger_number) REFERENCES public.reservation_passenger(tenant_id, reservation_id, passenger_number);

ALTER TABLE ONLY public.section_embedding
    ADD CONSTRAINT section_embedding_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenant(tenant_id);

ALTER TABLE ONLY public.session_item
    ADD CONSTRAINT session_item_tenant_id_conversation_id_fkey FOREIGN KEY (tenant_id, conversation_id) REFERENCES public.conversation(tenant_id, conversation_id);

ALTER TABLE ONLY public.stream_group
    ADD CONSTRAINT stream_group_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenant(tenant_id);

ALTER TABLE ONLY public.tenant_settings
    ADD CONSTRAINT tenant_settings_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenant(tenant_id);

ALTER TABLE ONLY public.ticket
    ADD CONSTRAINT ticket_tenant_id_conversation_id_fkey FOREIGN KEY (tenant_id, conversation_id) REFERENCES public.conversation(tenant_id, conversation_id);

ALTER TABLE ONLY public.turn
    ADD CONSTRAINT turn_tenant_id_conversation_id_fkey FOREIGN KEY (tenant_id, conversation_id) REFERENCES public.conversation(tenant_id, conversation_id);

ALTER TABLE ONLY public.webhook_attempt
    ADD CONSTRAINT webhook_attempt_tenant_id_target_id_event_id_fkey FOREIGN KEY (tenant_id, target_id, event_id) REFERENCES public.webhook_delivery(tenant_id, target_id, event_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.webhook_delivery
    ADD CONSTRAINT webhook_delivery_tenant_id_event_id_fkey FOREIGN KEY (tenant_id, event_id) REFERENCES public.webhook_event(tenant_id, event_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.webhook_delivery
    ADD CONSTRAINT webhook_delivery_tenant_id_target_id_fkey FOREIGN KEY (tenant_id, target_id) REFERENCES public.webhook_target(tenant_id, target_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.webhook_target
    ADD CONSTRAINT webhook_target_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenant(tenant_id);

ALTER TABLE public.accepted_id ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.airport ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.api_key ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.approval ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.article ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.article_section ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.audit_chain ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.audit_detail ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.audit_entry ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.channel_account ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.channel_command ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.channel_suppression ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.collected_stream ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.conversation ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.conversation_key ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.conversation_route ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.conversation_sender ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.customer ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.cut_entry ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.dead_letter ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.deleted_tenant ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.desk_act ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.desk_member ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.episode ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.episode_progress ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.erased_conversation ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.fare ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.flight ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.flight_date ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.guess ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.inbox ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.journal ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.legal_hold ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.mail_count ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.mail_message ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.mail_token ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.outbox ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.payment_method ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.person_backfill ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.person_conversation ENABLE ROW LEVEL SECURITY;

CREATE POLICY proven_tenant_only ON public.accepted_id AS RESTRICTIVE TO fte_http USING ((tenant_id = ( SELECT public.proven_tenant() AS proven_tenant)));

CREATE POLICY proven_tenant_only ON public.airport AS RESTRICTIVE TO fte_http USING ((tenant_id = ( SELECT public.proven_tenant() AS proven_tenant)));

CREATE POLICY proven_tenant_only ON public.api_key AS RESTRICTIVE TO fte_http USING ((tenant_id = ( SELECT public.proven_tenant() AS proven_tenant)));

CREATE POLICY proven_tenant_only ON public.approval AS RESTRICTIVE TO fte_http USING ((tenant_id = ( SELECT public.proven_tenant() AS proven_tenant)));

CREATE POLICY proven_tenant_only ON public.article AS RESTRICTIVE TO fte_http USING ((tenant_id = ( SELECT public.proven_tenant() AS proven_tenant)));

CREATE POLICY proven_tenant_only ON public.article_section AS RESTRICTIVE TO fte_http USING ((tenant_id = ( SELECT public.proven_tenant() AS proven_tenant)));

CREATE POLICY proven_tenant_only ON public.audit_chain AS RESTRICTIVE TO fte_http USING ((tenant_id = ( SELECT public.proven_tenant() AS proven_tenant)));

CREATE POLICY proven_tenant_only ON public.audit_detail AS RESTRICTIVE TO fte_http USING ((tenant_id = ( SELECT public.proven_tenant() AS proven_tenant)));

CREATE POLICY proven_tenant_only ON public.audit_entry AS RESTRICTIVE TO fte_http USING ((tenant_id = ( SELECT public.proven_tenant() AS proven_tenant)));

CREATE POLICY proven_tenant_only ON public.channel_account AS RESTRICTIVE TO fte_http USING ((tenant_id = ( SELECT public.proven_tenant() AS proven_tenant)));

CREATE POLICY proven_tenant_only ON public.channel_command AS RESTRICTIVE TO fte_http USING ((tenant_id = ( SELECT public.proven_tenant() AS proven_tenant)));

CREATE POLICY proven_tenant_only ON public.channel_suppression AS RESTRICTIVE TO fte_http USING ((tenant_id = ( SELECT public.proven_tenant() AS proven_tenant)));

CREATE POLICY proven_tenant_only ON public.collected_stream AS RESTRICTIVE TO fte_http USING ((tenant_id = ( SELECT public.proven_tenant() AS proven_tenant)));

CREATE POLICY proven_tenant_only ON public.conversation AS RESTRICTIVE TO fte_http USING ((tenant_id = ( SELECT public.proven_tenant() AS proven_tenant)));

CREATE POLICY proven_tenant_only ON public.conversation_key AS RESTRICTIVE TO fte_http USING ((tenant_id = ( SELECT public.proven_tenant() AS proven_tenant)));

CREATE POLICY proven_tenant_only ON public.conversation_route AS RESTRICTIVE TO fte_http USING ((tenant_id = ( SELECT public.proven_tenant() AS proven_tenant)));

CREATE POLICY proven_tenant_only ON public.conversation_sender AS RESTRICTIVE TO fte_http USING ((tenant_id = ( SELECT public.proven_tenant() AS proven_tenant)));

CREATE POLICY proven_tenant_only ON public.customer AS RESTRICTIVE TO fte_http USING ((tenant_id = ( SELECT public.proven_tenant() AS proven_tenant)));

CREATE POLICY proven_tenant_only ON public.cut_entry AS RESTRICTIVE TO fte_http USING ((tenant_id = ( SELECT public.proven_tenant() AS proven_tenant)));

CREATE POLICY proven_tenant_only ON public.dead_letter AS RESTRICTIVE TO fte_http USING ((tenant_id = ( SELECT public.proven_tenant() AS proven_tenant)));

CREATE POLICY proven_tenant_only ON public.deleted_tenant AS RESTRICTIVE TO fte_http USING ((tenant_id = ( SELECT public.proven_tenant() AS proven_tenant)));

CREATE POLICY proven_tenant_only ON public.desk_act AS RESTRICTIVE TO fte_http USING ((tenant_id = ( SELECT public.proven_tenant() AS proven_tenant)));

CREATE POLICY proven_tenant_only ON public.desk_member AS RESTRICTIVE TO fte_http USING ((tenant_id = ( SELECT public.proven_tenant() AS proven_tenant)));

CREATE POLICY proven_tenant_only ON public.episode AS RESTRICTIVE TO fte_http USING ((tenant_id = ( SELECT public.proven_tenant() AS proven_tenant)));

CREATE POLICY proven_tenant_only ON public.episode_progress AS RESTRICTIVE TO fte_http USING ((tenant_id = ( SELECT public.proven_tenant() AS proven_tenant)));

CREATE POLICY proven_tenant_only ON public.erased_conversation AS RESTRICTIVE TO fte_http USING ((tenant_id = ( SELECT public.proven_tenant() AS proven_tenant)));

CREATE POLICY proven_tenant_only ON public.fare AS RESTRICTIVE TO fte_http USING ((tenant_id = ( SELECT public.proven_tenant() AS proven_tenant)));

CREATE POLICY proven_tenant_only ON public.flight AS RESTRICTIVE TO fte_http USING ((tenant_id = ( SELECT public.proven_tenant() AS proven_tenant)));

CREATE POLICY proven_tenant_only ON public.flight_date AS RESTRICTIVE TO fte_http USING ((tenant_id = ( SELECT public.proven_tenant() AS proven_tenant)));

CREATE POLICY proven_tenant_only ON public.guess AS RESTRICTIVE TO fte_http USING ((tenant_id = ( SELECT public.proven_tenant() AS proven_tenant)));

CREATE POLICY proven_tenant_only ON public.inbox AS RESTRICTIVE TO fte_http USING ((tenant_id = ( SELECT public.proven_tenant() AS proven_tenant)));

CREATE POLICY proven_tenant_only ON public.journal AS RESTRICTIVE TO fte_http USING ((tenant_id = ( SELECT public.proven_tenant() AS proven_tenant)));

CREATE POLICY proven_tenant_only ON public.legal_hold AS RESTRICTIVE TO fte_http USING ((tenant_id = ( SELECT public.proven_tenant() AS proven_tenant)));

CREATE POLICY proven_tenant_only ON public.mail_count AS RESTRICTIVE TO fte_http USING ((tenant_id = ( SELECT public.proven_tenant() AS proven_tenant)));

CREATE POLICY proven_tenant_only ON public.mail_message AS RESTRICTIVE TO fte_http USING ((tenant_id = ( SELECT public.proven_tenant() AS proven_tenant)));

CREATE POLICY proven_tenant_only ON public.mail_token AS RESTRICTIVE TO fte_http USING ((tenant_id = ( SELECT public.proven_tenant() AS proven_tenant)));

CREATE POLICY proven_tenant_only ON public.outbox AS RESTRICTIVE TO fte_http USING ((tenant_id = ( SELECT public.proven_tenant() AS proven_tenant)));

CREATE POLICY proven_tenant_only ON public.payment_method AS RESTRICTIVE TO fte_http USING ((tenant_id = ( SELECT public.proven_tenant() AS proven_tenant)));

CREATE POLICY proven_tenant_only ON public.person_backfill AS RESTRICTIVE TO fte_http USING ((tenant_id = ( SELECT public.proven_tenant() AS proven_tenant)));

CREATE POLICY proven_tenant_only ON public.person_conversation AS RESTRICTIVE TO fte_http USING ((tenant_id = ( SELECT public.proven_tenant() AS proven_tenant)));

CREATE POLICY proven_tenant_only ON public.reply_attempt AS RESTRICTIVE TO fte_http USING ((tenant_id = ( SELECT public.proven_tenant() AS proven_tenant)));

CREATE POLICY proven_tenant_only ON public.reply_conversation AS RESTRICTIVE TO fte_http USING ((tenant_id = ( SELECT public.proven_tenant() AS proven_tenant)));

CREATE POLICY proven_tenant_only ON public.reply_delivery AS RESTRICTIVE TO fte_http USING ((tenant_id = ( SELECT public.proven_tenant() AS proven_tenant)));

CREATE POLICY proven_tenant_only ON public.reply_part AS RESTRICTIVE TO fte_http USING ((tenant_id = ( SELECT public.proven_tenant() AS proven_tenant)));

CREATE POLICY proven_tenant_only ON public.reservation AS RESTRICTIVE TO fte_http USING ((tenant_id = ( SELECT public.proven_tenant() AS proven_tenant)));

CREATE POLICY proven_tenant_only ON public.reservation_change AS RESTRICTIVE TO fte_http USING ((tenant_id = ( SELECT public.proven_tenant() AS proven_tenant)));

CREATE POLICY proven_tenant_only ON public.reservation_passenger AS RESTRICTIVE TO fte_http USING ((tenant_id = ( SELECT public.proven_tenant() AS proven_tenant)));

CREATE POLICY proven_tenant_only ON public.reservation_segment AS RESTRICTIVE TO fte_http USING ((tenant_id = ( SELECT public.proven_tenant() AS proven_tenant)));

CREATE POLICY proven_tenant_only ON public.resolution AS RESTRICTIVE TO fte_http USING ((tenant_id = ( SELECT public.proven_tenant() AS proven_tenant)));

CREATE POLICY proven_tenant_only ON public.seat AS RESTRICTIVE TO fte_http USING ((tenant_id = ( SELECT public.proven_tenant() AS proven_tenant)));

CREATE POLICY proven_tenant_only ON public.section_embedding AS RESTRICTIVE TO fte_http USING ((tenant_id = ( SELECT public.proven_tenant() AS proven_tenant)));

CREATE POLICY proven_tenant_only ON public.session_item AS RESTRICTIVE TO fte_http USING ((tenant_id = ( SELECT public.proven_tenant() AS proven_tenant)));

CREATE POLICY proven_tenant_only ON public.span AS RESTRICTIVE TO fte_http USING ((tenant_id = ( SELECT public.proven_tenant() AS proven_tenant)));

CREATE POLICY proven_tenant_only ON public.stream_group AS RESTRICTIVE TO fte_http USING ((tenant_id = ( SELECT public.proven_tenant() AS proven_tenant)));

CREATE POLICY proven_tenant_only ON public.switch AS RESTRICTIVE TO fte_http USING ((tenant_id = ( SELECT public.proven_tenant() AS proven_tenant)));

CREATE POLICY proven_tenant_only ON public.tenant AS RESTRICTIVE TO fte_http USING ((tenant_id = ( SELECT public.proven_tenant() AS proven_tenant)));

CREATE POLICY proven_tenant_only ON public.tenant_settings AS RESTRICTIVE TO fte_http USING ((tenant_id = ( SELECT public.proven_tenant() AS proven_tenant)));

CREATE POLICY proven_tenant_only ON public.ticket AS RESTRICTIVE TO fte_http USING ((tenant_id = ( SELECT public.proven_tenant() AS proven_tenant)));

CREATE POLICY proven_tenant_only ON public.tool_journal AS RESTRICTIVE TO fte_http USING ((tenant_id = ( SELECT public.proven_tenant() AS proven_tenant)));

CREATE POLICY proven_tenant_only ON public.turn AS RESTRICTIVE TO fte_http USING ((tenant_id = ( SELECT public.proven_tenant() AS proven_tenant)));

CREATE POLICY proven_tenant_only ON public.usage_day AS RESTRICTIVE TO fte_http USING ((tenant_id = ( SELECT public.proven_tenant() AS proven_tenant)));

CREATE POLICY proven_tenant_only ON public.usage_record AS RESTRICTIVE TO fte_http USING ((tenant_id = ( SELECT public.proven_tenant() AS proven_tenant)));

CREATE POLICY proven_tenant_only ON public.webhook_attempt AS RESTRICTIVE TO fte_http USING ((tenant_id = ( SELECT public.proven_tenant() AS proven_tenant)));

CREATE POLICY proven_tenant_only ON public.webhook_conversation AS RESTRICTIVE TO fte_http USING ((tenant_id = ( SELECT public.proven_tenant() AS proven_tenant)));

CREATE POLICY proven_tenant_only ON public.webhook_delivery AS RESTRICTIVE TO fte_http USING ((tenant_id = ( SELECT public.proven_tenant() AS proven_tenant)));

CREATE POLICY proven_tenant_only ON public.webhook_event AS RESTRICTIVE TO fte_http USING ((tenant_id = ( SELECT public.proven_tenant() AS proven_tenant)));

CREATE POLICY proven_tenant_only ON public.webhook_target AS RESTRICTIVE TO fte_http USING ((tenant_id = ( SELECT public.proven_tenant() AS proven_tenant)));

ALTER TABLE public.reply_attempt ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.reply_conversation ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.reply_delivery ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.reply_part ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.reservation ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.reservation_change ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.reservation_passenger ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.reservation_segment ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.resolution ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.seat ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.section_embedding ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.session_item ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.span ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.stream_group ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.switch ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.tenant ENABLE ROW LEVEL SECURITY;

CREATE POLICY tenant_only ON public.accepted_id USING (((tenant_id = current_setting('fte.tenant'::text, true)) OR (current_setting('fte.tenant'::text, true) = '*'::text)));

CREATE POLICY tenant_only ON public.airport USING (((tenant_id = current_setting('fte.tenant'::text, true)) OR (current_setting('fte.tenant'::text, true) = '*'::text)));

CREATE POLICY tenant_only ON public.api_key USING (((tenant_id = current_setting('fte.tenant'::text, true)) OR (current_setting('fte.tenant'::text, true) = '*'::text)));

CREATE POLICY tenant_only ON public.approval USING (((tenant_id = current_setting('fte.tenant'::text, true)) OR (current_setting('fte.tenant'::text, true) = '*'::text)));

CREATE POLICY tenant_only ON public.article USING (((tenant_id = current_setting('fte.tenant'::text, true)) OR (current_setting('fte.tenant'::text, true) = '*'::text)));

CREATE POLICY tenant_only ON public.article_section USING (((tenant_id = current_setting('fte.tenant'::text, true)) OR (current_setting('fte.tenant'::text, true) = '*'::text)));

CREATE POLICY tenant_only ON public.audit_chain USING (((tenant_id = current_setting('fte.tenant'::text, true)) OR (current_setting('fte.tenant'::text, true) = '*'::text)));

CREATE POLICY tenant_only ON public.audit_detail USING (((tenant_id = current_setting('fte.tenant'::text, true)) OR (current_setting('fte.tenant'::text, true) = '*'::text)));

CREATE POLICY tenant_only ON public.audit_entry USING (((tenant_id = current_setting('fte.tenant'::text, true)) OR (current_setting('fte.tenant'::text, true) = '*'::text)));

CREATE POLICY tenant_only ON public.channel_account USING (((tenant_id = current_setting('fte.tenant'::text, true)) OR (current_setting('fte.tenant'::text, true) = '*'::text)));

CREATE POLICY tenant_only ON public.channel_command USING (((tenant_id = current_setting('fte.tenant'::text, true)) OR (current_setting('fte.tenant'::text, true) = '*'::text)));

CREATE POLICY tenant_only ON public.channel_suppression USING (((tenant_id = current_setting('fte.tenant'::text, true)) OR (current_setting('fte.tenant'::text, true) = '*'::text)));

CREATE POLICY tenant_only ON public.collected_stream USING (((tenant_id = current_setting('fte.tenant'::text, true)) OR (current_setting('fte.tenant'::text, true) = '*'::text)));

CREATE POLICY tenant_only ON public.conversation USING (((tenant_id = current_setting('fte.tenant'::text, true)) OR (current_setting('fte.tenant'::text, true) = '*'::text)));

CREATE POLICY tenant_only ON public.conversation_key USING (((tenant_id = current_setting('fte.tenant'::text, true)) OR (current_setting('fte.tenant'::text, true) = '*'::text)));

CREATE POLICY tenant_only ON public.conversation_route USING (((tenant_id = current_setting('fte.tenant'::text, true)) OR (current_setting('fte.tenant'::text, true) = '*'::text)));

CREATE POLICY tenant_only ON public.conversation_sender USING (((tenant_id = current_setting('fte.tenant'::text, true)) OR (current_setting('fte.tenant'::text, true) = '*'::text)));

CREATE POLICY tenant_only ON public.customer USING (((tenant_id = current_setting('fte.tenant'::text, true)) OR (current_setting('fte.tenant'::text, true) = '*'::text)));

CREATE POLICY tenant_only ON public.cut_entry USING (((tenant_id = current_setting('fte.tenant'::text, true)) OR (current_setting('fte.tenant'::text, true) = '*'::text)));

CREATE POLICY tenant_only ON public.dead_letter USING (((tenant_id = current_setting('fte.tenant'::text, true)) OR (current_setting('fte.tenant'::text, true) = '*'::text)));

CREATE POLICY tenant_only ON public.deleted_tenant USING (((tenant_id = current_setting('fte.tenant'::text, true)) OR (current_setting('fte.tenant'::text, true) = '*'::text)));

CREATE POLICY tenant_only ON public.desk_act USING (((tenant_id = current_setting('fte.tenant'::text, true)) OR (current_setting('fte.tenant'::text, true) = '*'::text)));

CREATE POLICY tenant_only ON public.desk_member USING (((tenant_id = current_setting('fte.tenant'::text, true)) OR (current_setting('fte.tenant'::text, true) = '*'::text)));

CREATE POLICY tenant_only ON public.episode USING (((tenant_id = current_setting('fte.tenant'::text, true)) OR (current_setting('fte.tenant'::text, true) = '*'::text)));

CREATE POLICY tenant_only ON public.episode_progress USING (((tenant_id = current_setting('fte.tenant'::text, true)) OR (current_setting('fte.tenant'::text, true) = '*'::text)));

CREATE POLICY tenant_only ON public.erased_conversation USING (((tenant_id = current_setting('fte.tenant'::text, true)) OR (current_setting('fte.tenant'::text, true) = '*'::text)));

CREATE POLICY tenant_only ON public.fare USING (((tenant_id = current_setting('fte.tenant'::text, true)) OR (current_setting('fte.tenant'::text, true) = '*'::text)));

CREATE POLICY tenant_only ON public.flight USING (((tenant_id = current_setting('fte.tenant'::text, true)) OR (current_setting('fte.tenant'::text, true) = '*'::text)));

CREATE POLICY tenant_only ON public.flight_date USING (((tenant_id = current_setting('fte.tenant'::text, true)) OR (current_setting('fte.tenant'::text, true) = '*'::text)));

CREATE POLICY tenant_only ON public.guess USING (((tenant_id = current_setting('fte.tenant'::text, true)) OR (current_setting('fte.tenant'::text, true) = '*'::text)));

CREATE POLICY tenant_only ON public.inbox USING (((tenant_id = current_setting('fte.tenant'::text, true)) OR (current_setting('fte.tenant'::text, true) = '*'::text)));

CREATE POLICY tenant_only ON public.journal USING (((tenant_id = current_setting('fte.tenant'::text, true)) OR (current_setting('fte.tenant'::text, true) = '*'::text)));

CREATE POLICY tenant_only ON public.legal_hold USING (((tenant_id = current_setting('fte.tenant'::text, true)) OR (current_setting('fte.tenant'::text, true) = '*'::text)));

CREATE POLICY tenant_only ON public.mail_count USING (((tenant_id = current_setting('fte.tenant'::text, true)) OR (current_setting('fte.tenant'::text, true) = '*'::text)));

CREATE POLICY tenant_only ON public.mail_message USING (((tenant_id = current_setting('fte.tenant'::text, true)) OR (current_setting('fte.tenant'::text, true) = '*'::text)));

CREATE POLICY tenant_only ON public.mail_token USING (((tenant_id = current_setting('fte.tenant'::text, true)) OR (current_setting('fte.tenant'::text, true) = '*'::text)));

CREATE POLICY tenant_only ON public.outbox USING (((tenant_id = current_setting('fte.tenant'::text, true)) OR (current_setting('fte.tenant'::text, true) = '*'::text)));

CREATE POLICY tenant_only ON public.payment_method USING (((tenant_id = current_setting('fte.tenant'::text, true)) OR (current_setting('fte.tenant'::text, true) = '*'::text)));

CREATE POLICY tenant_only ON public.person_backfill USING (((tenant_id = current_setting('fte.tenant'::text, true)) OR (current_setting('fte.tenant'::text, true) = '*'::text)));

CREATE POLICY tenant_only ON public.person_conversation USING (((tenant_id = current_setting('fte.tenant'::text, true)) OR (current_setting('fte.tenant'::text, true) = '*'::text)));

CREATE POLICY tenant_only ON public.reply_attempt USING (((tenant_id = current_setting('fte.tenant'::text, true)) OR (current_setting('fte.tenant'::text, true) = '*'::text)));

CREATE POLICY tenant_only ON public.reply_conversation USING (((tenant_id = current_setting('fte.tenant'::text, true)) OR (current_setting('fte.tenant'::text, true) = '*'::text)));

CREATE POLICY tenant_only ON public.reply_delivery USING (((tenant_id = current_setting('fte.tenant'::text, true)) OR (current_setting('fte.tenant'::text, true) = '*'::text)));

CREATE POLICY tenant_only ON public.reply_part USING (((tenant_id = current_setting('fte.tenant'::text, true)) OR (current_setting('fte.tenant'::text, true) = '*'::text)));

CREATE POLICY tenant_only ON public.reservation USING (((tenant_id = current_setting('fte.tenant'::text, true)) OR (current_setting('fte.tenant'::text, true) = '*'::text)));

CREATE POLICY tenant_only ON public.reservation_change USING (((tenant_id = current_setting('fte.tenant'::text, true)) OR (current_setting('fte.tenant'::text, true) = '*'::text)));

CREATE POLICY tenant_only ON public.reservation_passenger USING (((tenant_id = current_setting('fte.tenant'::text, true)) OR (current_setting('fte.tenant'::text, true) = '*'::text)));

CREATE POLICY tenant_only ON public.reservation_segment USING (((tenant_id = current_setting('fte.tenant'::text, true)) OR (current_setting('fte.tenant'::text, true) = '*'::text)));

CREATE POLICY tenant_only ON public.resolution USING (((tenant_id = current_setting('fte.tenant'::text, true)) OR (current_setting('fte.tenant'::text, true) = '*'::text)));

CREATE POLICY tenant_only ON public.seat USING (((tenant_id = current_setting('fte.tenant'::text, true)) OR (current_setting('fte.tenant'::text, true) = '*'::text)));

CREATE POLICY tenant_only ON public.section_embedding USING (((tenant_id = current_setting('fte.tenant'::text, true)) OR (current_setting('fte.tenant'::text, true) = '*'::text)));

CREATE POLICY tenant_only ON public.session_item USING (((tenant_id = current_setting('fte.tenant'::text, true)) OR (current_setting('fte.tenant'::text, true) = '*'::text)));

CREATE POLICY tenant_only ON public.span USING (((tenant_id = current_setting('fte.tenant'::text, true)) OR (current_setting('fte.tenant'::text, true) = '*'::text)));

CREATE POLICY tenant_only ON public.stream_group USING (((tenant_id = current_setting('fte.tenant'::text, true)) OR (current_setting('fte.tenant'::text, true) = '*'::text)));

CREATE POLICY tenant_only ON public.switch USING (((tenant_id = current_setting('fte.tenant'::text, true)) OR (current_setting('fte.tenant'::text, true) = '*'::text)));

CREATE POLICY tenant_only ON public.tenant USING (((tenant_id = current_setting('fte.tenant'::text, true)) OR (current_setting('fte.tenant'::text, true) = '*'::text)));

CREATE POLICY tenant_only ON public.tenant_settings USING (((tenant_id = current_setting('fte.tenant'::text, true)) OR (current_setting('fte.tenant'::text, true) = '*'::text)));

CREATE POLICY tenant_only ON public.ticket USING (((tenant_id = current_setting('fte.tenant'::text, true)) OR (current_setting('fte.tenant'::text, true) = '*'::text)));

CREATE POLICY tenant_only ON public.tool_journal USING (((tenant_id = current_setting('fte.tenant'::text, true)) OR (current_setting('fte.tenant'::text, true) = '*'::text)));

CREATE POLICY tenant_only ON public.turn USING (((tenant_id = current_setting('fte.tenant'::text, true)) OR (current_setting('fte.tenant'::text, true) = '*'::text)));

CREATE POLICY tenant_only ON public.usage_day USING (((tenant_id = current_setting('fte.tenant'::text, true)) OR (current_setting('fte.tenant'::text, true) = '*'::text)));

CREATE POLICY tenant_only ON public.usage_record USING (((tenant_id = current_setting('fte.tenant'::text, true)) OR (current_setting('fte.tenant'::text, true) = '*'::text)));

CREATE POLICY tenant_only ON public.webhook_attempt USING (((tenant_id = current_setting('fte.tenant'::text, true)) OR (current_setting('fte.tenant'::text, true) = '*'::text)));

CREATE POLICY tenant_only ON public.webhook_conversation USING (((tenant_id = current_setting('fte.tenant'::text, true)) OR (current_setting('fte.tenant'::text, true) = '*'::text)));

CREATE POLICY tenant_only ON public.webhook_delivery USING (((tenant_id = current_setting('fte.tenant'::text, true)) OR (current_setting('fte.tenant'::text, true) = '*'::text)));

CREATE POLICY tenant_only ON public.webhook_event USING (((tenant_id = current_setting('fte.tenant'::text, true)) OR (current_setting('fte.tenant'::text, true) = '*'::text)));

CREATE POLICY tenant_only ON public.webhook_target USING (((tenant_id = current_setting('fte.tenant'::text, true)) OR (current_setting('fte.tenant'::text, true) = '*'::text)));

ALTER TABLE public.tenant_settings ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.ticket ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.tool_journal ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.turn ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.usage_day ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.usage_record ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.webhook_attempt ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.webhook_conversation ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.webhook_delivery ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.webhook_event ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.webhook_target ENABLE ROW LEVEL SECURITY;
