-- Find outbox rows that a dead worker left. Takes age_seconds, rows_max; after_created_at, after_tenant, after_conversation:
-- where the last page ended.
-- Returns whole conversations' unpublished rows in order, oldest conversation first, with their tenant's stream_life and
-- waiting_since: what a page is ordered by. A conversation is on one page of a round.
WITH waiting AS (
    SELECT DISTINCT ON (tenant_id, conversation_id) tenant_id, conversation_id, created_at FROM (
        SELECT tenant_id, conversation_id, created_at FROM outbox o
        WHERE published_at IS NULL AND created_at < clock_timestamp() - make_interval(secs => %(age_seconds)s)
            AND created_at >= %(after_created_at)s
            AND (created_at, tenant_id, conversation_id) > (%(after_created_at)s, %(after_tenant)s, %(after_conversation)s)
            AND NOT EXISTS (SELECT FROM outbox e
                WHERE e.tenant_id = o.tenant_id AND e.conversation_id = o.conversation_id AND e.published_at IS NULL
                    AND (e.created_at, e.tenant_id, e.conversation_id)
                        <= (%(after_created_at)s, %(after_tenant)s, %(after_conversation)s))
        ORDER BY created_at, tenant_id, conversation_id LIMIT %(rows_max)s) oldest
    ORDER BY tenant_id, conversation_id, created_at)
SELECT o.tenant_id, o.conversation_id, o.ordinal, o.kind, o.channel, o.entry_id, o.sequence,
    with_key(o.tenant_id, o.conversation_id, o.body) AS body, t.stream_life,
    w.created_at AS waiting_since
FROM waiting w JOIN outbox o USING (tenant_id, conversation_id) JOIN tenant t USING (tenant_id)
WHERE o.published_at IS NULL
ORDER BY w.created_at, o.tenant_id, o.conversation_id, o.ordinal
LIMIT %(rows_max)s
