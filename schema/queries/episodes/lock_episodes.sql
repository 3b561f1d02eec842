-- Take the lock under which episodes are brought up to date.
-- Keeps: the lock until the transaction ends, so of two processes that both lead one waits. The number is ours alone: an
-- advisory lock belongs to its database.
SELECT pg_advisory_xact_lock(7001980420)
