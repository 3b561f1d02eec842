-- Find conversations whose episodes may have changed. Takes read_to, settle_seconds, conversations_max.
-- Returns rows of tenant_id, conversation_id, committed_at: of turns committed after read_to, oldest first; and with
-- committed_at null those that were resolved, or whose open episode is to be looked at.
-- A turn that was committed less than settle_seconds ago is left for later: an older one may not be visible yet.
(SELECT tenant_id, conversation_id, committed_at FROM turn
    WHERE committed_at > %(read_to)s AND committed_at <= clock_timestamp() - make_interval(secs => %(settle_seconds)s)
    ORDER BY committed_at FETCH FIRST %(conversations_max)s ROWS WITH TIES)
UNION ALL
(SELECT tenant_id, conversation_id, NULL FROM resolution
    WHERE taken_up_at IS NULL ORDER BY resolved_at LIMIT %(conversations_max)s)
UNION ALL
(SELECT tenant_id, conversation_id, NULL FROM episode
    WHERE closed_at IS NULL AND look_at <= clock_timestamp() ORDER BY look_at LIMIT %(conversations_max)s)
