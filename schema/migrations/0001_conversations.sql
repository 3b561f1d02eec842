-- Conversations: what was accepted, what became of it, what goes out. Every table belongs to tenants, and PostgreSQL
-- keeps them apart: a row is visible only where the setting fte.tenant names its tenant, or is '*' (rescue, operators).

CREATE TABLE migration (
    number integer PRIMARY KEY,
    name text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);

-- One row: the key all processes of this deployment must share (its fingerprint, not the key).
CREATE TABLE deployment (
    only_row boolean PRIMARY KEY DEFAULT true CONSTRAINT deployment_has_one_row CHECK (only_row),
    vault_fingerprint text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE tenant (
    tenant_id text PRIMARY KEY CONSTRAINT tenant_id_is_short_and_plain CHECK (tenant_id ~ '^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$'),
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE conversation (
    tenant_id text NOT NULL REFERENCES tenant,
    conversation_id text NOT NULL,
    version bigint NOT NULL DEFAULT 0,           -- advances with every commit: the fence of a turn
    owner text NOT NULL DEFAULT 'bot' CONSTRAINT conversation_belongs_to_bot_or_human CHECK (owner IN ('bot', 'human')),
    last_position bigint NOT NULL DEFAULT 0,     -- of the newest message accepted
    done_position bigint NOT NULL DEFAULT 0,     -- up to which messages are answered or dead
    last_sequence bigint NOT NULL DEFAULT 0,     -- of the newest reply
    last_ordinal bigint NOT NULL DEFAULT 0,      -- of the newest outbox row
    last_item bigint NOT NULL DEFAULT 0,         -- of the newest session item
    last_agent text,
    context jsonb NOT NULL DEFAULT '{}',
    vault text,                                  -- sealed: placeholder -> value
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, conversation_id),
    CONSTRAINT conversation_is_done_up_to_what_was_accepted CHECK (done_position <= last_position)
) WITH (fillfactor = 70);

CREATE TABLE inbox (
    tenant_id text NOT NULL,
    message_id text NOT NULL,
    conversation_id text NOT NULL,
    position bigint NOT NULL,
    channel text NOT NULL,
    state text NOT NULL DEFAULT 'accepted' CONSTRAINT inbox_state_is_known CHECK (state IN ('accepted', 'answered', 'dead', 'erased')),
    payload text,                                -- sealed; gone once answered
    accepted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz,
    PRIMARY KEY (tenant_id, message_id),
    -- The conversation first: were it the tenant, a plan made while the table was empty could look a message id up
    -- here, by tenant alone, and read a tenant's whole inbox for each message until the table is analysed.
    CONSTRAINT inbox_position_is_given_once UNIQUE (conversation_id, tenant_id, position),
    FOREIGN KEY (tenant_id, conversation_id) REFERENCES conversation,
    CONSTRAINT inbox_finished_at_null_while_accepted CHECK ((state = 'accepted') = (finished_at IS NULL)),
    CONSTRAINT inbox_payload_kept_while_needed CHECK (state NOT IN ('accepted', 'dead') OR payload IS NOT NULL)
) WITH (fillfactor = 80);
CREATE INDEX inbox_accepted ON inbox (accepted_at, tenant_id, message_id) WHERE state = 'accepted';

CREATE TABLE session_item (
    tenant_id text NOT NULL,
    conversation_id text NOT NULL,
    ordinal bigint NOT NULL,
    turn bigint NOT NULL,                        -- conversation.version that wrote it
    item jsonb NOT NULL,                         -- masked, as the agents SDK shapes it
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, conversation_id, ordinal),
    FOREIGN KEY (tenant_id, conversation_id) REFERENCES conversation
);

CREATE TABLE turn (
    tenant_id text NOT NULL,
    conversation_id text NOT NULL,
    number bigint NOT NULL,                      -- conversation.version after it
    message_ids text[] NOT NULL,
    outcome text NOT NULL CONSTRAINT turn_outcome_is_known
        CHECK (outcome IN ('answered', 'refused', 'escalated', 'forwarded', 'dead')),
    agent text,
    attempts integer NOT NULL,
    started_at timestamptz NOT NULL,
    committed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    timings jsonb NOT NULL,                      -- step -> milliseconds
    model_calls jsonb NOT NULL DEFAULT '[]',     -- [{started_at, milliseconds, input_tokens, output_tokens, replayed}]
    verdicts jsonb NOT NULL DEFAULT '[]',        -- of the guardrails, masked
    PRIMARY KEY (tenant_id, conversation_id, number),
    FOREIGN KEY (tenant_id, conversation_id) REFERENCES conversation
);

CREATE TABLE outbox (
    tenant_id text NOT NULL,
    conversation_id text NOT NULL,
    ordinal bigint NOT NULL,                     -- 1, 2, 3 … within the conversation: the order of publishing
    kind text NOT NULL CONSTRAINT outbox_kind_is_known CHECK (kind IN ('reply', 'escalation', 'event')),
    channel text,
    entry_id text NOT NULL,
    sequence bigint NOT NULL,                    -- of the reply, or of the newest reply at that time
    body text NOT NULL,                          -- sealed
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    published_at timestamptz,
    PRIMARY KEY (tenant_id, conversation_id, ordinal),
    FOREIGN KEY (tenant_id, conversation_id) REFERENCES conversation,
    CONSTRAINT outbox_reply_has_a_channel CHECK ((kind = 'reply') = (channel IS NOT NULL))
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX outbox_entry ON outbox (tenant_id, entry_id);
CREATE UNIQUE INDEX outbox_reply_sequence ON outbox (tenant_id, conversation_id, sequence) WHERE kind = 'reply';
CREATE INDEX outbox_unpublished ON outbox (created_at) WHERE published_at IS NULL;

CREATE TABLE ticket (
    tenant_id text NOT NULL,
    ticket_id text NOT NULL,
    conversation_id text NOT NULL,
    category text NOT NULL,
    priority text NOT NULL,
    opened_at timestamptz NOT NULL DEFAULT now(),
    answer_by timestamptz NOT NULL,
    closed_at timestamptz,
    PRIMARY KEY (tenant_id, ticket_id),
    FOREIGN KEY (tenant_id, conversation_id) REFERENCES conversation
);

CREATE TABLE journal (
    tenant_id text NOT NULL,
    message_id text NOT NULL,
    step integer NOT NULL,                       -- 0, 1, 2 … model calls of the turn, in order
    input_hash text NOT NULL,
    response text NOT NULL,                      -- masked, as JSON
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, message_id, step)
);

CREATE TABLE dead_letter (
    dead_letter_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id text NOT NULL,
    conversation_id text NOT NULL,
    message_id text,                             -- null: the mailbox entry could not be read
    reason text NOT NULL,
    attempts integer NOT NULL,
    payload text NOT NULL,                       -- sealed, whole
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX dead_letter_conversation ON dead_letter (tenant_id, conversation_id);

DO $$
DECLARE
    v_table text;
BEGIN
    FOREACH v_table IN ARRAY ARRAY['conversation', 'inbox', 'session_item', 'turn', 'outbox', 'ticket', 'journal', 'dead_letter']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', v_table);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', v_table);
        EXECUTE format($policy$CREATE POLICY tenant_only ON %I
            USING (tenant_id = current_setting('fte.tenant', true) OR current_setting('fte.tenant', true) = '*')$policy$, v_table);
    END LOOP;
END $$;

-- Accept one message: takes the sealed message, gives its place. Holds the conversation's row for the length of the
-- transaction, so positions have no gaps and follow the order of acceptance.
CREATE FUNCTION accept_message(
    p_tenant text, p_conversation text, p_message text, p_channel text, p_payload text, p_waiting_max bigint
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
    INSERT INTO inbox (tenant_id, message_id, conversation_id, position, channel, payload)
        VALUES (p_tenant, p_message, p_conversation, v_last + 1, p_channel, p_payload) ON CONFLICT DO NOTHING;
    IF FOUND THEN
        UPDATE conversation c SET last_position = v_last + 1
            WHERE c.tenant_id = p_tenant AND c.conversation_id = p_conversation;
        status := 'accepted'; at_conversation := p_conversation; at_position := v_last + 1;
    ELSE  -- another sender was quicker with the same message id
        SELECT i.conversation_id, i.position INTO STRICT at_conversation, at_position
            FROM inbox i WHERE i.tenant_id = p_tenant AND i.message_id = p_message;
        status := 'duplicate';
    END IF;
    RETURN NEXT;
END $$;

-- Commit one turn: everything a turn leaves behind, or nothing. The caller has set fte.tenant and applied the turn's
-- bookings in the same transaction. Raises FT001 when the conversation moved on (another worker, or a takeover), FT002
-- when a message is not the next one to answer.
CREATE FUNCTION commit_turn(
    p_tenant text, p_conversation text, p_version bigint, p_message_ids text[], p_done_position bigint,
    p_state text, p_conversation_row jsonb, p_turn jsonb, p_items jsonb, p_outbox jsonb
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_item bigint;
    v_done bigint;
    v_moved integer;
BEGIN
    UPDATE conversation c
        SET version = c.version + 1,
            done_position = p_done_position,
            last_sequence = coalesce((p_conversation_row ->> 'last_sequence')::bigint, c.last_sequence),
            last_ordinal = c.last_ordinal + jsonb_array_length(p_outbox),
            last_item = c.last_item + jsonb_array_length(p_items),
            last_agent = coalesce(p_conversation_row ->> 'last_agent', c.last_agent),
            context = coalesce(p_conversation_row -> 'context', c.context),
            vault = coalesce(p_conversation_row ->> 'vault', c.vault),
            updated_at = clock_timestamp()
        WHERE c.tenant_id = p_tenant AND c.conversation_id = p_conversation AND c.version = p_version
        RETURNING c.last_item - jsonb_array_length(p_items) INTO v_item;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'conversation % is no longer at version %', p_conversation, p_version USING ERRCODE = 'FT001';
    END IF;
    UPDATE inbox i
        SET state = p_state, finished_at = clock_timestamp(),
            payload = CASE WHEN p_state = 'dead' THEN i.payload END
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
    INSERT INTO session_item (tenant_id, conversation_id, ordinal, turn, item)
        SELECT p_tenant, p_conversation, v_item + e.ordinality, p_version + 1, e.value
        FROM jsonb_array_elements(p_items) WITH ORDINALITY AS e (value, ordinality);
    INSERT INTO outbox (tenant_id, conversation_id, ordinal, kind, channel, entry_id, sequence, body)
        SELECT p_tenant, p_conversation, o.ordinal, o.kind, o.channel, o.entry_id, o.sequence, o.body
        FROM jsonb_to_recordset(p_outbox)
            AS o (ordinal bigint, kind text, channel text, entry_id text, sequence bigint, body text);
    INSERT INTO turn (tenant_id, conversation_id, number, message_ids, outcome, agent, attempts,
            started_at, timings, model_calls, verdicts)
        SELECT p_tenant, p_conversation, p_version + 1, p_message_ids, t.outcome, t.agent, t.attempts,
            t.started_at, t.timings, t.model_calls, t.verdicts
        FROM jsonb_to_record(p_turn) AS t (outcome text, agent text, attempts integer,
            started_at timestamptz, timings jsonb, model_calls jsonb, verdicts jsonb);
    DELETE FROM journal j WHERE j.tenant_id = p_tenant AND j.message_id = ANY (p_message_ids);
END $$;
