-- Record finished model calls of turns under way. Takes five equally long arrays: tenants, message_ids, steps,
-- input_hashes, responses; no message's step stands twice in them.
-- Keeps: a later attempt with another input replaces an entry; a message that is answered meanwhile gets none. Not
-- flushed to disk: when PostgreSQL itself dies, a model call is asked again, and nothing else is lost.
WITH relaxed AS (SELECT set_config('synchronous_commit', 'off', true))
INSERT INTO journal (tenant_id, message_id, step, input_hash, response)
SELECT j.tenant_id, j.message_id, j.step, j.input_hash, j.response
FROM relaxed, unnest(%(tenants)s::text[], %(message_ids)s::text[], %(steps)s::int[], %(input_hashes)s::text[],
    %(responses)s::text[]) AS j (tenant_id, message_id, step, input_hash, response)
JOIN inbox i ON i.tenant_id = j.tenant_id AND i.message_id = j.message_id AND i.state = 'accepted'
ON CONFLICT (tenant_id, message_id, step)
DO UPDATE SET input_hash = excluded.input_hash, response = excluded.response, created_at = now()
