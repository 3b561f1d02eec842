-- Say what became of a dead letter. Takes tenant, letter_id, state (redriven or dropped), operator, because or null, now,
-- redriven_as or null. Keeps: a dropped letter's payload is gone.
UPDATE dead_letter
SET state = %(state)s, settled_at = %(now)s, settled_by = %(operator)s, settled_because = %(because)s,
    redriven_as = coalesce(%(redriven_as)s, redriven_as),
    payload = CASE WHEN %(state)s = 'dropped' THEN NULL ELSE payload END
WHERE tenant_id = %(tenant)s AND dead_letter_id = %(letter_id)s
