-- Count one guess at a booking, unless it is right, before anybody hears what came of it. Takes tenant, sender and booking (keyed
-- hashes; booking null: what was given is no confirmation number), is_right, sender_max and booking_max of a day (UTC).
-- Returns one row: which limit (sender | booking) refuses it; null: it may be answered.
-- Keeps: many at once are together no more than the limits; a refused one counts for nothing, and a right one for none.
SELECT count_guess(%(tenant)s, %(sender)s, %(booking)s, %(is_right)s, %(sender_max)s, %(booking_max)s) AS refused_by
