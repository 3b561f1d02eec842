-- Read how a PostgreSQL server is set up. Takes nothing.
-- Returns its version, max_connections (those that plain roles may have), connections now to any database, what decides
-- whether a commit survives a crash, whether it is a replica, and its clock.
SELECT current_setting('server_version') AS version, current_setting('server_version_num')::integer AS version_number,
    current_setting('max_connections')::integer - current_setting('superuser_reserved_connections')::integer
        AS connections_max,
    (SELECT count(*) FROM pg_stat_activity WHERE datname IS NOT NULL) AS connections,
    current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS synchronous_commit,
    current_setting('full_page_writes') AS full_page_writes, current_setting('autovacuum') AS autovacuum,
    current_setting('statement_timeout') AS statement_timeout, pg_is_in_recovery() AS is_replica,
    current_setting('transaction_read_only') AS read_only, clock_timestamp() AS clock_at
