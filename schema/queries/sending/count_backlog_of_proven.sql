-- Count the messages that wait for an answer, as a process that sees single tenants alone. Takes messages_max: where to stop counting,
-- all tenants together; proofs (an array): of the tenants that are asked for by name.
-- Returns tenant_id (null: all other tenants), waiting.
SELECT of_tenant AS tenant_id, waiting FROM count_backlog(%(messages_max)s, %(proofs)s)
