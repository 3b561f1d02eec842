-- Add events of one conversation, and a delivery to each target that wants them. Takes tenant, conversation, events (JSON).
-- A target gets what was stored since it was added: `occurred_at` is by another clock, and may lie before for what it sees.
-- Keeps: an event that nobody wants is not stored; one that a disabled target wants is, so that it can be replayed.
WITH wanted AS (
    SELECT g.event_id, g.sequence, g.type, g.body, g.occurred_at, t.target_id, t.disabled_at
    FROM jsonb_to_recordset(%(events)s)
        AS g (event_id text, sequence bigint, type text, body text, occurred_at timestamptz, stored_at timestamptz)
    JOIN webhook_target t ON t.tenant_id = %(tenant)s AND t.created_at <= g.stored_at
        AND (t.event_types = '{}' OR g.type = ANY (t.event_types))
), added AS (
    INSERT INTO webhook_event (tenant_id, event_id, conversation_id, sequence, type, body, occurred_at)
        SELECT DISTINCT ON (event_id) %(tenant)s, event_id, %(conversation)s, sequence, type, body, occurred_at
        FROM wanted ORDER BY event_id
    ON CONFLICT DO NOTHING
    RETURNING event_id
)
INSERT INTO webhook_delivery (tenant_id, target_id, event_id, conversation_id, sequence)
    SELECT %(tenant)s, w.target_id, w.event_id, %(conversation)s, w.sequence
    FROM wanted w JOIN added a USING (event_id)
    WHERE w.disabled_at IS NULL
