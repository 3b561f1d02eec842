-- Find conversations whose episodes may have changed, of the tenants in scope. Takes settle_seconds, conversations_max.
-- Returns rows of tenant_id, conversation_id, committed_at: of turns that were not taken up yet, oldest first; and with
-- committed_at null those that were resolved, or whose open episode is to be looked at. At most conversations_max of each
-- kind, of the first for each tenant.
-- A turn that was committed less than settle_seconds ago is left for later: an older one may not be visible yet.
(SELECT t.tenant_id, recent.conversation_id, recent.committed_at
    FROM tenant t LEFT JOIN episode_progress p USING (tenant_id)
    CROSS JOIN LATERAL (
        SELECT conversation_id, committed_at FROM turn
        WHERE tenant_id = t.tenant_id AND committed_at > coalesce(p.read_to, '-infinity')
            AND committed_at <= clock_timestamp() - make_interval(secs => %(settle_seconds)s)
        ORDER BY committed_at FETCH FIRST %(conversations_max)s ROWS WITH TIES) recent)
UNION ALL
(SELECT tenant_id, conversation_id, NULL FROM resolution
    WHERE taken_up_at IS NULL ORDER BY resolved_at LIMIT %(conversations_max)s)
UNION ALL
(SELECT tenant_id, conversation_id, NULL FROM episode
    WHERE closed_at IS NULL AND look_at <= clock_timestamp() ORDER BY look_at LIMIT %(conversations_max)s)
