-- Webhooks: the receivers of each tenant, the events that they are told of, and each delivery with its attempts.

CREATE TABLE webhook_target (
    tenant_id text NOT NULL REFERENCES tenant,
    target_id text NOT NULL,
    url text NOT NULL CONSTRAINT webhook_url_is_short CHECK (length(url) BETWEEN 1 AND 2000),
    event_types text[] NOT NULL DEFAULT '{}',    -- empty: every type, also those of later releases
    secret text NOT NULL,                        -- sealed; what deliveries are signed with
    old_secret text,                             -- sealed; signs beside the new one until old_secret_until
    old_secret_until timestamptz,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    paused_until timestamptz,                    -- the receiver asked for a pause, or is overloaded
    failing_since timestamptz,                   -- first failure since the last success; null: none
    disabled_at timestamptz,
    disabled_reason text,
    PRIMARY KEY (tenant_id, target_id),
    CONSTRAINT webhook_target_id_is_plain CHECK (target_id ~ '^wt_[0-9a-f]{16}$'),
    CONSTRAINT webhook_old_secret_ends CHECK ((old_secret IS NULL) = (old_secret_until IS NULL)),
    CONSTRAINT webhook_target_is_disabled_for_a_reason CHECK ((disabled_at IS NULL) = (disabled_reason IS NULL))
);

-- Up to where each conversation's outbox and episodes were turned into webhook events. Its row is the lock under which
-- the order of a conversation's deliveries changes.
CREATE TABLE webhook_conversation (
    tenant_id text NOT NULL,
    conversation_id text NOT NULL,
    last_ordinal bigint NOT NULL DEFAULT 0,      -- as outbox.ordinal
    last_episode bigint NOT NULL DEFAULT 0,      -- as episode.number
    last_sequence bigint NOT NULL DEFAULT 0,     -- of the newest webhook event
    PRIMARY KEY (tenant_id, conversation_id)
) WITH (fillfactor = 70);

CREATE TABLE webhook_event (
    tenant_id text NOT NULL,
    event_id text NOT NULL,                      -- the header webhook-id, the same at each attempt
    conversation_id text NOT NULL,
    sequence bigint NOT NULL,                    -- 1, 2, 3 … within the conversation
    type text NOT NULL,
    body text NOT NULL,                          -- the bytes that are signed and sent; ids and names, no text of a customer
    occurred_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, event_id)
);
CREATE INDEX webhook_event_created ON webhook_event (created_at);

CREATE TABLE webhook_delivery (
    tenant_id text NOT NULL,
    target_id text NOT NULL,
    event_id text NOT NULL,
    conversation_id text NOT NULL,
    sequence bigint NOT NULL,
    state text NOT NULL DEFAULT 'waiting' CONSTRAINT webhook_delivery_state_is_known
        CHECK (state IN ('waiting', 'delivered', 'dead')),
    attempts integer NOT NULL DEFAULT 0,         -- the number of the newest attempt, counted before it is sent
    tries integer NOT NULL DEFAULT 0,            -- attempts since it was queued, or queued anew
    next_at timestamptz,                         -- when it is due; null: an earlier one of the conversation waits, or it is done
    queued_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz,
    PRIMARY KEY (tenant_id, target_id, event_id),
    FOREIGN KEY (tenant_id, target_id) REFERENCES webhook_target ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, event_id) REFERENCES webhook_event ON DELETE CASCADE,
    CONSTRAINT webhook_delivery_is_due_while_it_waits CHECK (state = 'waiting' OR next_at IS NULL),
    CONSTRAINT webhook_delivery_finished_at_null_while_it_waits CHECK ((state = 'waiting') = (finished_at IS NULL))
) WITH (fillfactor = 70);
CREATE INDEX webhook_delivery_due ON webhook_delivery (tenant_id, target_id, next_at) WHERE next_at IS NOT NULL;
CREATE INDEX webhook_delivery_waiting ON webhook_delivery (tenant_id, conversation_id, target_id, sequence)
    WHERE state = 'waiting';
CREATE INDEX webhook_delivery_event ON webhook_delivery (tenant_id, event_id);

CREATE TABLE webhook_attempt (
    tenant_id text NOT NULL,
    target_id text NOT NULL,
    event_id text NOT NULL,
    number integer NOT NULL,
    begun_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at timestamptz,                        -- null: under way, or its process died
    outcome text,                                -- delivered, status, timeout, unreachable, refused_address …
    status integer,                              -- of HTTP, where there was an answer
    PRIMARY KEY (tenant_id, target_id, event_id, number),
    FOREIGN KEY (tenant_id, target_id, event_id) REFERENCES webhook_delivery ON DELETE CASCADE
);

SELECT keep_tenants_apart('webhook_target', 'webhook_conversation', 'webhook_event', 'webhook_delivery', 'webhook_attempt');
