-- Say how long the rest of this transaction waits for a row that another one holds. Takes lock_wait, such as '250ms'.
-- Keeps: a transaction for many conversations gives up early, so that one of them cannot hold the others up.
SELECT set_config('lock_timeout', %(lock_wait)s, true)
