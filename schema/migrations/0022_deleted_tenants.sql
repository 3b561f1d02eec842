-- What was removed of tenants that operators deleted: the receipt, by which a deletion that was broken off goes on, and the name, so
-- that nobody gets it again: ids of messages and replies are derived from it. Expands only: a new table.

CREATE TABLE deleted_tenant (
    tenant_id text PRIMARY KEY,
    requested_by text NOT NULL,
    requested_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz,
    rows_removed jsonb NOT NULL DEFAULT '{}',                -- table -> rows
    entries_removed jsonb NOT NULL DEFAULT '{}',             -- stream -> entries
    keys_removed bigint NOT NULL DEFAULT 0                   -- of Redis, besides the streams
);

SELECT keep_tenants_apart('deleted_tenant');
