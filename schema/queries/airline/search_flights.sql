-- Search what flies between two airports on a day, direct or with one stop, for the transaction's tenant. Takes origin,
-- destination (codes), flight_date (local date of the first departure), stop_minutes_min, stop_minutes_max,
-- connections_max.
-- Returns one row per connection, by arrival: its flights as a JSON array, each as find_flight gives it. Only flights
-- that are open and have not left.
WITH first AS MATERIALIZED (
    SELECT f.* FROM scheduled_flight f
    WHERE f.tenant_id = current_setting('fte.tenant') AND f.origin = %(origin)s AND f.flight_date = %(flight_date)s
        AND f.status IN ('available', 'on_time', 'delayed') AND f.departs_at > now()
), last AS MATERIALIZED (
    SELECT f.* FROM scheduled_flight f
    WHERE f.tenant_id = current_setting('fte.tenant') AND f.destination = %(destination)s
        AND f.flight_date BETWEEN %(flight_date)s::date AND %(flight_date)s::date + 1
        AND f.status IN ('available', 'on_time', 'delayed')
), found AS (
    SELECT first.arrives_at, first.departs_at, jsonb_build_array(to_jsonb(first)) AS flights
    FROM first WHERE first.destination = %(destination)s
    UNION ALL
    SELECT last.arrives_at, first.departs_at, jsonb_build_array(to_jsonb(first), to_jsonb(last)) AS flights
    FROM first JOIN last ON last.origin = first.destination
        AND last.departs_at BETWEEN first.arrives_at + make_interval(mins => %(stop_minutes_min)s)
            AND first.arrives_at + make_interval(mins => %(stop_minutes_max)s)
)
SELECT flights FROM found ORDER BY arrives_at, jsonb_array_length(flights), departs_at DESC, flights LIMIT %(connections_max)s
