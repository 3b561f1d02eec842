-- Who wrote: a keyed hash of the sender of each message, the state of each of a conversation's senders kept apart, and how often
-- bookings are guessed at. And the name by which a tenant's customers know it.

-- Sealed with the vault's key: what senders and bookings are hashed with. Made by `fte migrate`; docs/operations.md.
ALTER TABLE deployment ADD COLUMN sender_secret text;

-- Null: the name that the settings give.
ALTER TABLE tenant ADD COLUMN brand text CONSTRAINT tenant_brand_is_short_and_plain
    CHECK (char_length(brand) BETWEEN 1 AND 80 AND brand !~ '[[:cntrl:]{}]');

ALTER TABLE inbox ADD COLUMN sender_key text;                -- null: of the release before, until it is answered
ALTER TABLE session_item ADD COLUMN sender_key text;         -- null: of the release before; '': nobody is to see it again
ALTER TABLE ticket ADD COLUMN sender_key text;               -- whose values the placeholders of its briefing stand for
ALTER TABLE conversation ADD COLUMN first_sender_key text;   -- who it began with; theirs is what says of no sender
ALTER TABLE conversation ADD COLUMN sender_key text;         -- whose context, vault and last_agent it holds

-- What a conversation knows of those of its senders who did not write last.
CREATE TABLE conversation_sender (
    tenant_id text NOT NULL,
    conversation_id text NOT NULL,
    sender_key text NOT NULL,
    context jsonb NOT NULL,
    vault text,                                              -- sealed, as the conversation's
    last_agent text,
    parked_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, conversation_id, sender_key),
    FOREIGN KEY (tenant_id, conversation_id) REFERENCES conversation
);

-- Wrong guesses at bookings, of a day in UTC: those of a sender, and those at a booking whoever made them.
CREATE TABLE guess (
    tenant_id text NOT NULL REFERENCES tenant,
    day date NOT NULL,
    subject text NOT NULL,                                   -- the keyed hash of a sender, or of a confirmation number
    guesses integer NOT NULL,
    PRIMARY KEY (tenant_id, day, subject)
);
CREATE INDEX guess_day ON guess (day);

DO $$
DECLARE
    v_table text;
BEGIN
    FOREACH v_table IN ARRAY ARRAY['conversation_sender', 'guess']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', v_table);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', v_table);
        EXECUTE format($policy$CREATE POLICY tenant_only ON %I
            USING (tenant_id = current_setting('fte.tenant', true) OR current_setting('fte.tenant', true) = '*')$policy$, v_table);
    END LOOP;
END $$;

-- Count one guess at a booking, unless it is right, before anybody hears what came of it. Gives which limit refuses it ('sender' or
-- 'booking'), or null: then it may be answered. A right one that comes behind the limit is refused like any other. Without a
-- booking only the sender's are counted.
CREATE FUNCTION count_guess(
    p_tenant text, p_sender text, p_booking text, p_is_right boolean, p_sender_max integer, p_booking_max integer
) RETURNS text LANGUAGE plpgsql AS $$
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

-- As before, with the keyed hash of the sender.
CREATE FUNCTION accept_message(
    p_tenant text, p_conversation text, p_message text, p_channel text, p_payload text, p_waiting_max bigint, p_sender_key text
) RETURNS TABLE (status text, at_conversation text, at_position bigint, waiting bigint)
LANGUAGE plpgsql AS $$
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
    PERFORM FROM tenant t WHERE t.tenant_id = p_tenant;
    IF NOT FOUND THEN
        status := 'unknown_tenant'; RETURN NEXT; RETURN;
    END IF;
    INSERT INTO conversation (tenant_id, conversation_id) VALUES (p_tenant, p_conversation) ON CONFLICT DO NOTHING;
    SELECT c.last_position, c.done_position INTO v_last, v_done
        FROM conversation c WHERE c.tenant_id = p_tenant AND c.conversation_id = p_conversation FOR NO KEY UPDATE;
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

-- What a gateway of the release before calls. The worker that answers the message fills its sender in.
CREATE OR REPLACE FUNCTION accept_message(
    p_tenant text, p_conversation text, p_message text, p_channel text, p_payload text, p_waiting_max bigint
) RETURNS TABLE (status text, at_conversation text, at_position bigint, waiting bigint)
LANGUAGE sql AS $$
    SELECT a.status, a.at_conversation, a.at_position, a.waiting
    FROM accept_message(p_tenant, p_conversation, p_message, p_channel, p_payload, p_waiting_max, NULL::text) AS a
$$;

-- As before, and: p_conversation_row says whose state it is (sender_key), whose the conversation held until now
-- (held_sender_key), who wrote the messages (message_sender_key) and, where that was found out, who the conversation began
-- with (first_sender_key). Another's state is put aside. Where the sender was silent for so long that the address may be somebody
-- else's by now (sender_is_new), so is what it says of them, under a name that is no sender's. A worker of the release before says none of it: it ran on whatever
-- the conversation held, so that is of a sender still only if the messages are known to be theirs.
CREATE OR REPLACE FUNCTION commit_turn(
    p_tenant text, p_conversation text, p_version bigint, p_message_ids text[], p_done_position bigint,
    p_state text, p_conversation_row jsonb, p_turn jsonb, p_items jsonb, p_outbox jsonb
) RETURNS void LANGUAGE plpgsql AS $$
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
