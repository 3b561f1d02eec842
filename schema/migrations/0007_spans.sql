-- Traces: what each attempt at a message did, and how long it took. Names, ids, numbers and codes only.
--
-- Logged, not UNLOGGED: a trace is wanted most after a crash, and that is when PostgreSQL empties an unlogged table. The
-- writer does not wait for the disk instead (record_spans). No reference to conversation: it would lock that row, for
-- which the turns wait. Old rows go by age (remove_spans), so their index is one entry per block range.

CREATE TABLE span (
    tenant_id text NOT NULL,
    conversation_id text NOT NULL,
    span_id text NOT NULL CONSTRAINT span_id_is_16_hex_digits CHECK (span_id ~ '^[0-9a-f]{16}$'),
    parent_id text,                              -- null: an attempt, or an event beside the turns
    turn_id text,                                -- span_id of the attempt; null: beside the turns
    position bigint,                             -- of the message in the conversation; null: beside the turns
    attempt integer NOT NULL DEFAULT 0,          -- 1, 2 … at that message
    kind text NOT NULL,
    name text NOT NULL,
    started_at timestamptz NOT NULL,
    milliseconds real NOT NULL,
    error text,                                  -- a code, never a text
    attributes jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (tenant_id, conversation_id, span_id)
);
CREATE INDEX span_age ON span USING brin (started_at);

ALTER TABLE span ENABLE ROW LEVEL SECURITY;
ALTER TABLE span FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON span
    USING (tenant_id = current_setting('fte.tenant', true) OR current_setting('fte.tenant', true) = '*');
