-- Where each group of consumers stands in each outbound stream, what was cut from a stream before such a group had
-- collected it, and tenants that see themselves alone. Expands only: workers and `fte migrate` of the release before read
-- and write `tenant` as the tenant it is about, or as '*'; the new tables they do not know.

CREATE TABLE stream_group (
    tenant_id text NOT NULL REFERENCES tenant,
    kind text NOT NULL,
    channel text NOT NULL,                       -- '' for streams that have none
    name text NOT NULL CONSTRAINT stream_group_name_is_short CHECK (length(name) BETWEEN 1 AND 200),
    position bigint NOT NULL,                    -- up to which entry the group has acknowledged everything, as outbox.stream_position
    life bigint NOT NULL,                        -- of the tenant's streams, in which the group was last seen
    moved_at timestamptz NOT NULL DEFAULT now(), -- when its position last moved
    aside_at timestamptz,                        -- since when it collects what was cut, from a stream of its own; null: it does not
    PRIMARY KEY (tenant_id, kind, channel, name)
);

-- Which outbox rows stood where in a stream, of those that were cut from it before every group had collected them. Kept
-- until those groups have.
CREATE TABLE cut_entry (
    tenant_id text NOT NULL REFERENCES tenant,
    kind text NOT NULL,
    channel text NOT NULL,                       -- '' for streams that have none
    position bigint NOT NULL,                    -- exact, as outbox.stream_position
    entry_id text NOT NULL,                      -- outbox.entry_id
    cut_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, kind, channel, position)
);

DO $$
DECLARE
    v_table text;
BEGIN
    FOREACH v_table IN ARRAY ARRAY['stream_group', 'cut_entry']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', v_table);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', v_table);
        EXECUTE format($policy$CREATE POLICY tenant_only ON %I
            USING (tenant_id = current_setting('fte.tenant', true) OR current_setting('fte.tenant', true) = '*')$policy$, v_table);
    END LOOP;
END $$;

ALTER TABLE tenant ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenant FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON tenant
    USING (tenant_id = current_setting('fte.tenant', true) OR current_setting('fte.tenant', true) = '*');
