-- What consumers have collected from the outbound streams, so that streams which Redis lost can be filled again.

-- Which life of its streams a tenant is in. It advances whenever Redis may have lost something of them; what was
-- published, or noted as published, in an earlier life is then looked at again (worker/restoring.py).
ALTER TABLE tenant ADD COLUMN stream_life bigint NOT NULL DEFAULT 0;

-- Where in its stream an entry stands: the milliseconds of its id times 1,000,000, and its number within them. Null while
-- unpublished, and for what an earlier release published: that is never published again.
ALTER TABLE outbox ADD COLUMN stream_position bigint;
CREATE INDEX outbox_stream_position ON outbox (tenant_id, kind, stream_position) WHERE stream_position IS NOT NULL;

-- Up to which position each stream is collected: acknowledged by every group of consumers, or trimmed away.
CREATE TABLE collected_stream (
    tenant_id text NOT NULL REFERENCES tenant,
    kind text NOT NULL,
    channel text NOT NULL,                       -- '' for streams that have none
    position bigint NOT NULL,
    noted_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, kind, channel)
);

ALTER TABLE collected_stream ENABLE ROW LEVEL SECURITY;
ALTER TABLE collected_stream FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON collected_stream
    USING (tenant_id = current_setting('fte.tenant', true) OR current_setting('fte.tenant', true) = '*');
