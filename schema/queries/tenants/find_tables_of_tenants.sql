-- Find the tables with rows of tenants, but for the receipts of deletions. Returns name, needed_by (the tables that refer to it, which
-- have to be emptied first). Keeps: a table that a later migration makes is found by itself.
SELECT c.relname AS name,
    ARRAY(SELECT DISTINCT r.relname FROM pg_constraint f JOIN pg_class r ON r.oid = f.conrelid
        WHERE f.confrelid = c.oid AND f.contype = 'f' AND r.oid <> c.oid AND r.relkind = 'r') AS needed_by
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace AND c.relname <> 'deleted_tenant'
ORDER BY c.relname
