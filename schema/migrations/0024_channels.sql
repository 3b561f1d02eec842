-- Channels: the accounts by which SMS and e-mail come in and go out, who may not be written to, and each reply's delivery with its
-- parts and attempts. Expands only: new tables, which the release before neither reads nor writes.

CREATE TABLE channel_account (
    tenant_id text NOT NULL REFERENCES tenant,
    account_id text NOT NULL CONSTRAINT channel_account_id_is_plain CHECK (account_id ~ '^ch_[0-9a-f]{16}$'),
    channel text NOT NULL,
    settings jsonb NOT NULL,                     -- schema/channel_accounts.py; no secrets
    secrets text NOT NULL,                       -- sealed JSON
    old_secrets text,                            -- sealed JSON; hold beside the new ones until old_secrets_until
    old_secrets_until timestamptz,
    door_secret text NOT NULL,                   -- sealed; by it an HTTP process shows that it opened this account
    door_hash bytea NOT NULL CONSTRAINT channel_account_door_hash_is_sha256 CHECK (octet_length(door_hash) = 32),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    paused_until timestamptz,                    -- the provider asked for a pause
    disabled_at timestamptz,
    disabled_reason text,
    PRIMARY KEY (tenant_id, account_id),
    CONSTRAINT channel_account_old_secrets_end CHECK ((old_secrets IS NULL) = (old_secrets_until IS NULL)),
    CONSTRAINT channel_account_is_disabled_for_a_reason CHECK ((disabled_at IS NULL) = (disabled_reason IS NULL))
);

-- By which account, and from which address of ours, a customer is answered in a conversation. Written before the message is accepted,
-- so before there can be a reply; a table of its own, because a conversation may have several customers and channels.
CREATE TABLE conversation_route (
    tenant_id text NOT NULL,
    conversation_id text NOT NULL,
    sender_key text NOT NULL,                    -- of the customer, channel included: runtime/sender_keys.py
    account_id text NOT NULL,
    own_address text NOT NULL,                   -- the number or mailbox that was written to
    own_group text,                              -- the messaging service that the number is in
    since timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, conversation_id, sender_key),
    FOREIGN KEY (tenant_id, account_id) REFERENCES channel_account ON DELETE CASCADE
);
CREATE INDEX conversation_route_account ON conversation_route (tenant_id, account_id);

-- Who may not be written to from an address (or group of addresses) of ours. Kept when the customer's data is erased.
CREATE TABLE channel_suppression (
    tenant_id text NOT NULL REFERENCES tenant,
    channel text NOT NULL,
    own_address text NOT NULL,                   -- our number, messaging service or mailbox
    sender_key text NOT NULL,
    reason text NOT NULL,                        -- the keyword, or the provider's code
    since timestamptz NOT NULL DEFAULT clock_timestamp(),
    lifted_at timestamptz,                       -- null: it holds
    lifted_reason text,
    PRIMARY KEY (tenant_id, channel, own_address, sender_key),
    CONSTRAINT channel_suppression_is_lifted_for_a_reason CHECK ((lifted_at IS NULL) = (lifted_reason IS NULL))
);

-- Messages that are commands to the channel and never a turn: STOP, START, HELP, MORE. No text, each once.
CREATE TABLE channel_command (
    tenant_id text NOT NULL,
    message_id text NOT NULL,
    account_id text NOT NULL,
    own_address text NOT NULL,
    sender_key text NOT NULL,
    command text NOT NULL,
    received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, message_id),
    FOREIGN KEY (tenant_id, account_id) REFERENCES channel_account ON DELETE CASCADE
);

-- Up to where a conversation's replies on a channel were taken up for delivery. Its row is the lock under which their order changes.
CREATE TABLE reply_conversation (
    tenant_id text NOT NULL,
    conversation_id text NOT NULL,
    channel text NOT NULL,
    last_ordinal bigint NOT NULL DEFAULT 0,      -- as outbox.ordinal
    PRIMARY KEY (tenant_id, conversation_id, channel)
) WITH (fillfactor = 70);

CREATE TABLE reply_delivery (
    tenant_id text NOT NULL,
    reply_id text NOT NULL,                      -- as outbox.entry_id, where the text stands
    conversation_id text NOT NULL,
    ordinal bigint NOT NULL,                     -- as outbox.ordinal: the order within the conversation
    channel text NOT NULL,
    account_id text NOT NULL,
    own_address text NOT NULL,                   -- as in conversation_route when the reply was taken up
    own_group text,
    sender_key text NOT NULL,
    author text NOT NULL CONSTRAINT reply_delivery_author_is_known CHECK (author IN ('bot', 'human')),
    state text NOT NULL DEFAULT 'waiting' CONSTRAINT reply_delivery_state_is_known
        CHECK (state IN ('waiting', 'sent', 'dead', 'suppressed', 'withheld')),
    reason text,                                 -- why it did not leave, or is tried again
    claims integer NOT NULL DEFAULT 0,           -- the number of the newest claim: the fence of a process that came late
    tries integer NOT NULL DEFAULT 0,            -- failed attempts in a row since it was queued, or queued anew
    next_at timestamptz,                         -- when it is due; null: an earlier one of the conversation waits, or it is done
    queued_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz,
    receipt text CONSTRAINT reply_delivery_receipt_is_known CHECK (receipt IN ('delivered', 'failed', 'bounced')),
    receipt_code text,
    receipt_at timestamptz,
    receipt_told_at timestamptz,                 -- when it was told to the tenant's receivers
    PRIMARY KEY (tenant_id, reply_id),
    FOREIGN KEY (tenant_id, account_id) REFERENCES channel_account ON DELETE CASCADE,
    CONSTRAINT reply_delivery_is_due_while_it_waits CHECK (state = 'waiting' OR next_at IS NULL),
    CONSTRAINT reply_delivery_finished_at_null_while_it_waits CHECK ((state = 'waiting') = (finished_at IS NULL)),
    CONSTRAINT reply_delivery_receipt_has_a_time CHECK ((receipt IS NULL) = (receipt_at IS NULL))
) WITH (fillfactor = 70);
CREATE INDEX reply_delivery_due ON reply_delivery (tenant_id, account_id, next_at) WHERE next_at IS NOT NULL;
CREATE INDEX reply_delivery_waiting ON reply_delivery (tenant_id, conversation_id, channel, ordinal) WHERE state = 'waiting';
CREATE INDEX reply_delivery_sender ON reply_delivery (tenant_id, sender_key);
CREATE INDEX reply_delivery_conversation ON reply_delivery (tenant_id, conversation_id, ordinal);
CREATE INDEX reply_delivery_receipt ON reply_delivery (tenant_id, receipt_at) WHERE receipt_told_at IS NULL AND receipt IS NOT NULL;
CREATE INDEX reply_delivery_finished ON reply_delivery (finished_at) WHERE finished_at IS NOT NULL;

-- What is handed to the provider: one e-mail, or one or several text messages. Made once, so that each attempt sends the same bytes.
CREATE TABLE reply_part (
    tenant_id text NOT NULL,
    reply_id text NOT NULL,
    number integer NOT NULL,                     -- 1, 2, 3 … in the order of sending
    batch integer NOT NULL DEFAULT 1,            -- what is above 1 is held until the customer asks for more
    content text,                                -- sealed; the same bytes at each attempt; null: of no more use
    state text NOT NULL DEFAULT 'ready' CONSTRAINT reply_part_state_is_known
        CHECK (state IN ('held', 'ready', 'sending', 'unknown', 'accepted', 'failed')),
    attempts integer NOT NULL DEFAULT 0,         -- the number of the newest attempt, counted before it is sent
    provider_id text,                            -- the provider's id, or the Message-ID
    status text,                                 -- the furthest that the provider told, in its words
    status_rank integer NOT NULL DEFAULT 0,      -- it only moves up
    status_code text,                            -- the provider's error
    status_at timestamptz,
    failure_seen_at timestamptz,                 -- when a failure told later was acted upon
    PRIMARY KEY (tenant_id, reply_id, number),
    CONSTRAINT reply_part_content_kept_while_needed
        CHECK (content IS NOT NULL OR state NOT IN ('ready', 'sending', 'unknown')),
    FOREIGN KEY (tenant_id, reply_id) REFERENCES reply_delivery ON DELETE CASCADE
) WITH (fillfactor = 70);
CREATE INDEX reply_part_provider ON reply_part (tenant_id, provider_id) WHERE provider_id IS NOT NULL;
CREATE INDEX reply_part_failed ON reply_part (status_at)
    WHERE status_code IS NOT NULL AND failure_seen_at IS NULL;

CREATE TABLE reply_attempt (
    tenant_id text NOT NULL,
    reply_id text NOT NULL,
    part integer NOT NULL,
    number integer NOT NULL,
    begun_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at timestamptz,                        -- null: under way, or its process died
    outcome text,                                -- accepted, retry, unknown, failed, suppressed, stopped …
    code text,                                   -- HTTP's or SMTP's status, or the provider's error
    PRIMARY KEY (tenant_id, reply_id, part, number),
    FOREIGN KEY (tenant_id, reply_id, part) REFERENCES reply_part ON DELETE CASCADE
);

SELECT keep_tenants_apart('channel_account', 'conversation_route', 'channel_suppression', 'channel_command',
    'reply_conversation', 'reply_delivery', 'reply_part', 'reply_attempt');

-- Find one account by its exact ids, for a request that has no API key: its settings and its sealed secrets, which only a process
-- with the vault's keys opens. Gives no proof of the tenant.
CREATE FUNCTION find_channel_account(p_tenant text, p_account text) RETURNS TABLE (
    of_channel text, account_settings jsonb, sealed_secrets text, sealed_old_secrets text, sealed_door text, stopped_because text,
    tenant_suspended boolean
) LANGUAGE plpgsql SECURITY DEFINER AS $$
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

-- Give the proof of an account's tenant to whoever shows the hash of the account's opened door secret; null to anybody else. So a proof
-- is given for a secret, and never for an id.
CREATE FUNCTION prove_channel_account(p_tenant text, p_account text, p_door_hash bytea) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER AS $$
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

-- What runs with its owner's rights finds its own tables, whatever the caller's search path or temporary tables say.
DO $$
DECLARE
    v_function regprocedure;
BEGIN
    FOR v_function IN SELECT p.oid FROM pg_proc p WHERE p.prosecdef AND p.pronamespace = current_schema()::regnamespace
        AND p.proname IN ('find_channel_account', 'prove_channel_account')
    LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = pg_catalog, %I, pg_temp', v_function, current_schema());
    END LOOP;
END $$;
