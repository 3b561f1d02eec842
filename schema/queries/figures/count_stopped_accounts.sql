-- Count the accounts of channels that are stopped. Takes nothing. Returns channel, accounts, stopped.
SELECT channel, count(*) AS accounts, count(*) FILTER (WHERE disabled_at IS NOT NULL) AS stopped
FROM channel_account
GROUP BY channel
ORDER BY channel
