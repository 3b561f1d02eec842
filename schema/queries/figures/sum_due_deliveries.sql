-- Sum up what is due to be delivered to receivers outside. Takes nothing.
-- Returns channel ('webhook', or that of replies), due, how many, and seconds: for how long the oldest has been due; for each
-- channel that has anything due, and for webhooks always.
SELECT 'webhook' AS channel, count(*) AS due,
    coalesce(extract(epoch FROM clock_timestamp() - min(next_at)), 0)::float8 AS seconds
FROM webhook_delivery
WHERE next_at <= clock_timestamp()
UNION ALL
SELECT channel, count(*) AS due, coalesce(extract(epoch FROM clock_timestamp() - min(next_at)), 0)::float8 AS seconds
FROM reply_delivery
WHERE next_at <= clock_timestamp()
GROUP BY channel
