-- Find outbox rows that a dead worker left. Takes age_seconds, rows_max.
-- Returns whole conversations' unpublished rows in order, oldest conversation first, with their tenant's stream_life.
WITH waiting AS (
    SELECT DISTINCT ON (tenant_id, conversation_id) tenant_id, conversation_id, created_at FROM (
        SELECT tenant_id, conversation_id, created_at FROM outbox
        WHERE published_at IS NULL AND created_at < clock_timestamp() - make_interval(secs => %(age_seconds)s)
        ORDER BY created_at LIMIT %(rows_max)s) oldest
    ORDER BY tenant_id, conversation_id, created_at)
SELECT o.tenant_id, o.conversation_id, o.ordinal, o.kind, o.channel, o.entry_id, o.sequence, o.body, t.stream_life
FROM waiting w JOIN outbox o USING (tenant_id, conversation_id) JOIN tenant t USING (tenant_id)
WHERE o.published_at IS NULL
ORDER BY w.created_at, o.tenant_id, o.conversation_id, o.ordinal
LIMIT %(rows_max)s
