-- Read what senders and bookings are hashed with. Returns one row: it, sealed; or null before `fte migrate` has made it.
SELECT (SELECT sender_secret FROM deployment) AS sender_secret
