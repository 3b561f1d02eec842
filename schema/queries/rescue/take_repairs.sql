-- Take the lock of the one process that repairs for all, if it is free. Returns taken.
-- Keeps: the lock until the transaction ends, which the server ends when its client is silent for 15 s. The number is
-- ours alone: an advisory lock belongs to its database.
SELECT set_config('idle_in_transaction_session_timeout', '15s', true) AS silence_max,
    pg_try_advisory_xact_lock(7001980419) AS taken
