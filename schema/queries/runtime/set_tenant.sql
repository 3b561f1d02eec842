-- Say for which tenant the rest of this transaction speaks. Takes tenant, or '*' for rescue and operators.
-- Keeps: row-level security shows nothing of any other tenant.
SELECT set_config('fte.tenant', %(tenant)s, true)
