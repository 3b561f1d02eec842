-- Record one finished model call of a turn under way. Takes tenant, message_id, step, input_hash, response.
-- Keeps: a later attempt with another input replaces it.
INSERT INTO journal (tenant_id, message_id, step, input_hash, response)
VALUES (%(tenant)s, %(message_id)s, %(step)s, %(input_hash)s, %(response)s)
ON CONFLICT (tenant_id, message_id, step)
DO UPDATE SET input_hash = excluded.input_hash, response = excluded.response, created_at = now()
