-- Say whether pgvector is there. Returns found.
SELECT to_regtype('vector') IS NOT NULL AS found
