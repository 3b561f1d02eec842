-- Say how long each statement of the rest of this transaction may take. Takes statement_time, such as '5min'.
-- Keeps: an operator's look at everything is not cut off like a turn's statement.
SELECT set_config('statement_timeout', %(statement_time)s, true)
