-- Count the connections to this database, this one included.
-- Returns connections.
SELECT count(*) AS connections FROM pg_stat_activity WHERE datname = current_database()
