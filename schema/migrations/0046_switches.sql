-- Switches that operators turn off, and pauses. Expands only: a new table, which the release before neither reads nor writes; its workers
-- go on as if everything were on.

-- What is off now, or was until off_until. A row goes when somebody turns it on again; the audit log keeps who did what, and when.
CREATE TABLE switch (
    tenant_id text NOT NULL,                     -- '*': of every tenant
    kind text NOT NULL,                          -- tenant, channel, agent, tool, provider, or turns: none is begun (a pause)
    name text NOT NULL,                          -- of what is off; '*' of turns
    off_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    off_until timestamptz,                       -- when it is on again by itself; null: when somebody turns it on
    off_by text NOT NULL,
    reason text NOT NULL,
    PRIMARY KEY (tenant_id, kind, name),
    CONSTRAINT switch_ends_after_it_begins CHECK (off_until > off_at)
);

SELECT keep_tenants_apart('switch');
