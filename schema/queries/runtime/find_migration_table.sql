-- Tell whether the database was ever migrated. Returns found.
SELECT to_regclass('migration') IS NOT NULL AS found
