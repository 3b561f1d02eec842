-- Whose conversations are whose, what is erased or has expired and must not come back, and what is held for a court. Expands only: new tables;
-- columns with a default, which the release before neither reads nor writes; a trigger that fills a new table from what it writes.

-- Which conversations a person wrote in. A person is a sender key: a keyed hash of tenant, channel and address.
CREATE TABLE person_conversation (
    tenant_id text NOT NULL,
    person_key text NOT NULL,
    conversation_id text NOT NULL,
    first_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, person_key, conversation_id)
);
CREATE INDEX person_conversation_of ON person_conversation (tenant_id, conversation_id);

-- How far the conversations of before were looked through for their people; docs/operations.md.
CREATE TABLE person_backfill (
    tenant_id text PRIMARY KEY,
    read_to text NOT NULL,                       -- the last conversation looked at
    finished_at timestamptz
);

CREATE FUNCTION note_person() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO person_conversation (tenant_id, person_key, conversation_id)
        VALUES (NEW.tenant_id, NEW.sender_key, NEW.conversation_id) ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER inbox_notes_person AFTER INSERT ON inbox FOR EACH ROW WHEN (NEW.sender_key IS NOT NULL)
    EXECUTE FUNCTION note_person();
CREATE TRIGGER inbox_notes_person_late AFTER UPDATE OF sender_key ON inbox FOR EACH ROW
    WHEN (NEW.sender_key IS NOT NULL AND OLD.sender_key IS NULL) EXECUTE FUNCTION note_person();

-- Ids of messages that the inbox no longer has, as keyed hashes: they are never accepted again.
CREATE TABLE accepted_id (
    tenant_id text NOT NULL,
    message_hash bytea NOT NULL,
    PRIMARY KEY (tenant_id, message_hash)
);

-- Where conversations that were erased stood, under a keyed hash: one that begins anew under the name counts on, so that no
-- id of a reply is given out twice.
CREATE TABLE erased_conversation (
    tenant_id text NOT NULL,
    conversation_hash bytea NOT NULL,
    version bigint NOT NULL,
    last_position bigint NOT NULL,
    last_sequence bigint NOT NULL,
    last_ordinal bigint NOT NULL,
    last_item bigint NOT NULL,
    erased_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, conversation_hash)
);

-- What must not be erased nor expire: a person's conversations, or one conversation.
CREATE TABLE legal_hold (
    tenant_id text NOT NULL,
    subject text NOT NULL,                       -- person:<key> or conversation:<id>
    reason text NOT NULL,
    placed_by text NOT NULL,
    placed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, subject),
    CONSTRAINT legal_hold_is_of_a_person_or_a_conversation CHECK (subject ~ '^(person|conversation):.')
);

SELECT keep_tenants_apart('person_conversation', 'person_backfill', 'accepted_id', 'erased_conversation', 'legal_hold');

-- Up to where a conversation's messages, outbox rows and replies are gone, since they are past their days or were erased.
ALTER TABLE conversation ADD COLUMN gone_position bigint NOT NULL DEFAULT 0;
ALTER TABLE conversation ADD COLUMN gone_ordinal bigint NOT NULL DEFAULT 0;
ALTER TABLE conversation ADD COLUMN gone_sequence bigint NOT NULL DEFAULT 0;

-- Hash a name of a tenant so that nobody who reads the tables can try names out: with the secret that nobody but their owner reads.
-- What is hashed begins with a byte that no name has, so it is never a tenant's proof.
CREATE FUNCTION keyed_hash(p_tenant text, p_name text) RETURNS bytea LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER AS $$
DECLARE
    v_secret bytea;
BEGIN
    SELECT s.secret INTO STRICT v_secret FROM tenant_proof_secret s;
    RETURN sha256(v_secret || sha256(v_secret || '\x00'::bytea || convert_to(p_tenant || '/' || p_name, 'UTF8')));
END $$;
DO $$ BEGIN
    EXECUTE format('ALTER FUNCTION keyed_hash(text, text) SET search_path = pg_catalog, %I, pg_temp', current_schema());
END $$;

-- As before, and: the id of a message that is gone from the inbox is a duplicate for ever, and a conversation that was erased
-- and begins anew counts on from where it was.
CREATE OR REPLACE FUNCTION accept_message(
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

-- Look through a page of a tenant's conversations of before for their people. Gives the last conversation of the page; null: none is left.
CREATE FUNCTION backfill_people(p_tenant text, p_after text, p_conversations_max integer) RETURNS text LANGUAGE plpgsql AS $$
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
