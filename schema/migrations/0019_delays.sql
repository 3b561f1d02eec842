-- By how much a delayed flight is late, as far as that is known: its moments and local times are then the new ones. Expands only:
-- the view keeps its columns, and null, as in every row of the release before, leaves a flight at its planned times.

ALTER TABLE flight_date ADD COLUMN delay_minutes integer; -- null: on time, or nobody knows yet
ALTER TABLE flight_date ADD CONSTRAINT delay_is_positive CHECK (delay_minutes > 0);

CREATE OR REPLACE VIEW scheduled_flight WITH (security_invoker = true) AS
SELECT d.tenant_id, d.flight_number, d.flight_date, d.status, f.origin, f.destination,
    (d.flight_date + f.departs_at) AT TIME ZONE o.time_zone + late.by_minutes AS departs_at,
    (d.flight_date + f.arrives_days_later + f.arrives_at) AT TIME ZONE a.time_zone + late.by_minutes AS arrives_at,
    to_char(((d.flight_date + f.departs_at) AT TIME ZONE o.time_zone + late.by_minutes) AT TIME ZONE o.time_zone,
        'YYYY-MM-DD HH24:MI') AS departs_local,
    to_char(((d.flight_date + f.arrives_days_later + f.arrives_at) AT TIME ZONE a.time_zone + late.by_minutes)
        AT TIME ZONE a.time_zone, 'YYYY-MM-DD HH24:MI') AS arrives_local,
    (SELECT coalesce(jsonb_agg(jsonb_build_object('cabin', c.cabin, 'seats_left', c.seats_left, 'price_usd', c.price_usd)
        ORDER BY c.price_usd), '[]')
        FROM fare c
        WHERE c.tenant_id = d.tenant_id AND c.flight_number = d.flight_number AND c.flight_date = d.flight_date) AS fares
FROM flight_date d
JOIN flight f ON f.tenant_id = d.tenant_id AND f.flight_number = d.flight_number
JOIN airport o ON o.tenant_id = f.tenant_id AND o.code = f.origin
JOIN airport a ON a.tenant_id = f.tenant_id AND a.code = f.destination
CROSS JOIN LATERAL (SELECT make_interval(mins => coalesce(d.delay_minutes, 0)) AS by_minutes) AS late;
