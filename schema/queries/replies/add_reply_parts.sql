-- Add what a reply is sent as. Takes tenant, reply_id, parts (JSON: number, batch, content (sealed)).
-- Keeps: of two processes that compose the same reply, the first.
INSERT INTO reply_part (tenant_id, reply_id, number, batch, content, state)
    SELECT %(tenant)s, %(reply_id)s, g.number, g.batch, g.content, CASE WHEN g.batch = 1 THEN 'ready' ELSE 'held' END
    FROM jsonb_to_recordset(%(parts)s) AS g (number integer, batch integer, content text)
ON CONFLICT DO NOTHING
