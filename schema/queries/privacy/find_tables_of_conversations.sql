-- Find the tables whose rows belong to conversations, but for ledgers and records that outlive them. Returns name, needed_by (the tables
-- that refer to it, which have to be emptied first). Keeps: a table that a later migration makes is found by itself.
SELECT c.relname AS name,
    ARRAY(SELECT DISTINCT r.relname FROM pg_constraint f JOIN pg_class r ON r.oid = f.conrelid
        WHERE f.confrelid = c.oid AND f.contype = 'f' AND r.oid <> c.oid AND r.relkind = 'r') AS needed_by
FROM pg_class c
WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace
    AND c.relname NOT IN ('audit_detail', 'usage_record', 'reservation_change')
    AND (SELECT count(*) FROM pg_attribute a
        WHERE a.attrelid = c.oid AND a.attname IN ('tenant_id', 'conversation_id') AND NOT a.attisdropped) = 2
ORDER BY c.relname
