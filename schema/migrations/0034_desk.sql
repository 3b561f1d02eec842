-- The desk of human agents: who has a conversation, since when it waits for one, and everything that was done about it.
-- Expands only: what the release before changes of a conversation or a ticket is completed by triggers, so its rows are as the
-- constraints ask; it reads `owner` alone, which says the same as ever.

ALTER TABLE conversation
    ADD COLUMN desk_state text NOT NULL DEFAULT 'bot',
    ADD COLUMN desk_version bigint NOT NULL DEFAULT 0,       -- of the newest act of the desk
    ADD COLUMN claimed_by text,                              -- the person who has it
    ADD COLUMN claimed_until timestamptz,                    -- when the claim lapses unless it is renewed
    ADD COLUMN waiting_since timestamptz,                    -- since when somebody waits for a person
    ADD COLUMN answer_by timestamptz,                        -- by when a person is to answer; null: nobody waits for one
    ADD COLUMN overdue_noted_at timestamptz,                 -- when it was noted that nobody did
    ADD COLUMN snoozed_until timestamptz,
    ADD COLUMN resolved_at timestamptz,
    ADD COLUMN taken_ordinal bigint NOT NULL DEFAULT 0,      -- of the outbox when a person took it last: no reply of the bot up to it leaves
    ADD COLUMN return_address text;                          -- sealed: where the newest message that no reply answered came from

UPDATE conversation SET desk_state = 'waiting', waiting_since = updated_at WHERE owner = 'human';

-- Nobody could close a ticket before: those of the last week count as open, older ones as dealt with.
UPDATE conversation c SET desk_state = 'waiting', waiting_since = k.opened_at, answer_by = k.answer_by
FROM (SELECT t.tenant_id, t.conversation_id, min(t.opened_at) AS opened_at, min(t.answer_by) AS answer_by
    FROM ticket t
    WHERE t.closed_at IS NULL AND t.opened_at > now() - interval '7 days' AND NOT EXISTS (
        SELECT FROM resolution r
        WHERE r.tenant_id = t.tenant_id AND r.conversation_id = t.conversation_id AND r.resolved_at > t.opened_at)
    GROUP BY t.tenant_id, t.conversation_id) k
WHERE c.tenant_id = k.tenant_id AND c.conversation_id = k.conversation_id;

ALTER TABLE conversation
    ADD CONSTRAINT conversation_desk_state_is_known CHECK (desk_state IN ('bot', 'waiting', 'human', 'resolved')),
    ADD CONSTRAINT conversation_is_claimed_while_a_human_has_it CHECK (
        (desk_state = 'human') = (claimed_by IS NOT NULL) AND (claimed_by IS NULL) = (claimed_until IS NULL)),
    ADD CONSTRAINT conversation_owner_is_who_has_it CHECK (
        CASE desk_state WHEN 'human' THEN owner = 'human' WHEN 'waiting' THEN true ELSE owner = 'bot' END),
    ADD CONSTRAINT conversation_is_snoozed_by_who_has_it CHECK (snoozed_until IS NULL OR desk_state = 'human'),
    ADD CONSTRAINT conversation_resolved_at_null_unless_resolved CHECK ((desk_state = 'resolved') = (resolved_at IS NOT NULL)),
    ADD CONSTRAINT conversation_waits_for_a_human_only CHECK (desk_state IN ('waiting', 'human') OR answer_by IS NULL);

CREATE INDEX conversation_desk ON conversation (tenant_id, answer_by, conversation_id) WHERE desk_state IN ('waiting', 'human');
CREATE INDEX conversation_resolved ON conversation (tenant_id, resolved_at, conversation_id) WHERE desk_state = 'resolved';

ALTER TABLE ticket ADD COLUMN closed_by text;
ALTER TABLE ticket ADD COLUMN closed_because text;
CREATE INDEX ticket_conversation ON ticket (tenant_id, conversation_id);

ALTER TABLE outbox ADD COLUMN by_person text;                -- a reply: who wrote it; null: the bot
ALTER TABLE outbox ADD COLUMN withdrawn_at timestamptz;      -- a takeover kept it from leaving; then it counts as published

-- The people of a tenant's desk and what each may do.
CREATE TABLE desk_member (
    tenant_id text NOT NULL REFERENCES tenant,
    person text NOT NULL CONSTRAINT desk_member_name_is_short CHECK (length(person) BETWEEN 1 AND 100),
    role text NOT NULL CONSTRAINT desk_member_role_is_known
        CHECK (role IN ('viewer', 'agent', 'supervisor', 'operator', 'analyst', 'admin')),
    set_by text NOT NULL,
    set_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, person)
);

-- Every act of the desk in a conversation, 1, 2, 3 …: each begins in the state in which the one before it ended.
CREATE TABLE desk_act (
    tenant_id text NOT NULL,
    conversation_id text NOT NULL,
    number bigint NOT NULL,                                  -- conversation.desk_version after it
    act text NOT NULL CONSTRAINT desk_act_is_named CHECK (act ~ '^[a-z_]{1,40}$'),
    by_person text NOT NULL,                                 -- or 'bot', 'customer', 'clock'
    from_state text NOT NULL,
    to_state text NOT NULL,
    from_person text,                                        -- who had the conversation before, and after
    to_person text,
    ticket_id text,
    version bigint NOT NULL,                                 -- conversation.version after it
    position bigint NOT NULL,                                -- of the newest message at that time
    sequence bigint,                                         -- of the reply, when it is one
    reason text,
    note text,                                               -- sealed
    request_id text,                                         -- the caller's: what is asked for twice is done once
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, conversation_id, number),
    FOREIGN KEY (tenant_id, conversation_id) REFERENCES conversation
);
CREATE UNIQUE INDEX desk_act_request ON desk_act (tenant_id, conversation_id, request_id) WHERE request_id IS NOT NULL;

SELECT keep_tenants_apart('desk_member', 'desk_act');

-- A ticket makes its conversation wait for a person, whichever release opens it.
CREATE FUNCTION wait_for_human() RETURNS trigger LANGUAGE plpgsql AS $$
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
CREATE TRIGGER ticket_makes_wait AFTER INSERT ON ticket FOR EACH ROW EXECUTE FUNCTION wait_for_human();

-- The release before moves a conversation between bot and human by its owner alone: nobody is named, so it waits for a person.
CREATE FUNCTION follow_owner() RETURNS trigger LANGUAGE plpgsql AS $$
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
CREATE TRIGGER conversation_follows_owner BEFORE UPDATE OF owner ON conversation FOR EACH ROW
    WHEN (OLD.owner IS DISTINCT FROM NEW.owner AND OLD.desk_version = NEW.desk_version) EXECUTE FUNCTION follow_owner();

-- What a customer's message changes at the desk: a resolved conversation is the bot's again, a snoozed one comes back at once, and
-- the wait for a person begins with the first message that none answered.
CREATE FUNCTION hear_customer() RETURNS trigger LANGUAGE plpgsql AS $$
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
CREATE TRIGGER conversation_hears_customer BEFORE UPDATE OF last_position ON conversation FOR EACH ROW
    WHEN (NEW.last_position > OLD.last_position AND (OLD.desk_state = 'resolved' OR OLD.owner = 'human'))
    EXECUTE FUNCTION hear_customer();

-- Give what callers of the desk are told of a conversation.
CREATE FUNCTION desk_of(p_conversation conversation) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT jsonb_build_object('state', p_conversation.desk_state, 'owner', p_conversation.owner,
        'claimed_by', p_conversation.claimed_by, 'claimed_until', p_conversation.claimed_until,
        'desk_version', p_conversation.desk_version, 'version', p_conversation.version,
        'last_position', p_conversation.last_position, 'last_ordinal', p_conversation.last_ordinal,
        'last_sequence', p_conversation.last_sequence, 'answer_by', p_conversation.answer_by,
        'snoozed_until', p_conversation.snoozed_until, 'sender_key', p_conversation.sender_key)
$$;

-- Do one act of the desk, or say why not. The caller has set fte.tenant and knows that p_person may do the act; p_may_force: also in a
-- conversation that somebody else has. p_desk_version and p_position, where given, are what the person has seen. p_until: until when
-- to snooze, or by when a reopened conversation is to be answered. Gives outcome: done · kept (a claim that was theirs already is
-- renewed, without an act) · repeated (p_request was done before: number says as what) · unknown · state (it does not allow the act) ·
-- held (somebody else has it) · unheld (nobody has it, and who does this must) · stale · overtaken (the customer wrote); and the
-- conversation as it is then. Keeps: the row's lock until the transaction ends; version advances with each act, so a turn under way
-- cannot commit; the claimant's lease is renewed by what the claimant does.
CREATE FUNCTION move_conversation(
    p_tenant text, p_conversation text, p_act text, p_person text, p_to_person text, p_may_force boolean,
    p_desk_version bigint, p_position bigint, p_until timestamptz, p_lease_seconds float8,
    p_reason text, p_note text, p_request text
) RETURNS jsonb LANGUAGE plpgsql AS $$
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
