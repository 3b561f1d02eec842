-- Write episodes as they are now. Takes episodes (JSON).
-- Keeps: an episode that is closed stays as it is.
INSERT INTO episode (tenant_id, conversation_id, number, first_position, last_position, channel, opened_at, last_at,
        look_at, closed_at, close_reason, rule_version)
    SELECT * FROM jsonb_to_recordset(%(episodes)s) AS g (tenant_id text, conversation_id text, number bigint,
        first_position bigint, last_position bigint, channel text, opened_at timestamptz, last_at timestamptz,
        look_at timestamptz, closed_at timestamptz, close_reason text, rule_version integer)
    ORDER BY tenant_id, conversation_id, number
ON CONFLICT (tenant_id, conversation_id, number) DO UPDATE
    SET last_position = excluded.last_position, channel = excluded.channel, last_at = excluded.last_at,
        look_at = excluded.look_at, closed_at = excluded.closed_at, close_reason = excluded.close_reason,
        rule_version = excluded.rule_version, noted_at = clock_timestamp()
    WHERE episode.closed_at IS NULL
