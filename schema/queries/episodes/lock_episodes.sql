-- Take the lock under which episodes are brought up to date. Returns read_to: up to when committed turns are taken up.
-- Keeps: the row of `deployment` until the transaction ends, so of two processes that both lead one waits.
SELECT coalesce(episodes_read_to, '-infinity') AS read_to FROM deployment FOR NO KEY UPDATE
