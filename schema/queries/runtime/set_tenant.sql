-- Say for which tenant the rest of this transaction speaks. Takes tenant, or '*' for rescue and operators; proof, which an HTTP
-- process needs besides ('' for all others).
-- Keeps: row-level security shows nothing of any other tenant.
SELECT set_config('fte.tenant', %(tenant)s, true), set_config('fte.proof', %(proof)s, true)
