-- What model calls cost. A call is written down when it is finished, with its journal entry, and not with the commit of
-- its turn: the money is spent whether or not the turn takes effect, and a turn that is run again replays the call
-- without paying for it.

ALTER TABLE journal
    ADD COLUMN model text NOT NULL DEFAULT '',          -- who answered
    ADD COLUMN degraded boolean NOT NULL DEFAULT false; -- in the provider's place

CREATE TABLE usage_record (
    usage_record_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id text NOT NULL,
    conversation_id text NOT NULL,
    message_id text NOT NULL,
    step integer NOT NULL,                       -- of the journal
    model text NOT NULL,
    degraded boolean NOT NULL,                   -- the embedded model stood in for the provider
    input_tokens integer NOT NULL CONSTRAINT usage_input_not_negative CHECK (input_tokens >= 0),
    cached_tokens integer NOT NULL CONSTRAINT usage_cached_is_part_of_input CHECK (cached_tokens BETWEEN 0 AND input_tokens),
    output_tokens integer NOT NULL CONSTRAINT usage_output_not_negative CHECK (output_tokens >= 0),
    cost_usd numeric,                            -- null: the model has no price
    milliseconds double precision NOT NULL,
    retries integer NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX usage_record_at ON usage_record (tenant_id, at);

-- What a tenant has spent on a day (UTC). One row, so that a ceiling costs one look-up before a call and nothing after:
-- the statement that records a call gives the new total.
CREATE TABLE usage_day (
    tenant_id text NOT NULL,
    day date NOT NULL,
    cost_usd numeric NOT NULL,
    PRIMARY KEY (tenant_id, day)
) WITH (fillfactor = 50);

DO $$
DECLARE
    v_table text;
BEGIN
    FOREACH v_table IN ARRAY ARRAY['usage_record', 'usage_day']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', v_table);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', v_table);
        EXECUTE format($policy$CREATE POLICY tenant_only ON %I
            USING (tenant_id = current_setting('fte.tenant', true) OR current_setting('fte.tenant', true) = '*')$policy$, v_table);
    END LOOP;
END $$;
