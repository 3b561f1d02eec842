-- Count the tickets that are open. Takes nothing.
-- Returns category, priority, tickets, overdue_seconds: how long ago the oldest was to be answered (0: none is overdue).
SELECT category, priority, count(*) AS tickets,
    greatest(coalesce(extract(epoch FROM now() - min(answer_by)), 0), 0)::float8 AS overdue_seconds
FROM ticket
WHERE closed_at IS NULL
GROUP BY category, priority
ORDER BY category, priority
