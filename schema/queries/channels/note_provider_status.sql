-- Note what a provider tells about a message that went out. Takes tenant, account_id, reply_id and part (as its callback names them; null:
-- none), provider_id, status, rank, code (null: no error). Returns reply_id; no row for a message that is not known, or nothing new.
-- Keeps: a state only moves up, in whatever order they come; a message whose answer was lost counts as taken from then on.
UPDATE reply_part p
SET provider_id = %(provider_id)s,
    status = CASE WHEN %(rank)s >= p.status_rank THEN %(status)s ELSE p.status END,
    status_code = CASE WHEN %(rank)s >= p.status_rank THEN %(code)s ELSE p.status_code END,
    status_at = CASE WHEN %(rank)s >= p.status_rank THEN clock_timestamp() ELSE p.status_at END,
    status_rank = greatest(p.status_rank, %(rank)s),
    state = CASE WHEN p.state IN ('sending', 'unknown', 'ready') THEN 'accepted' ELSE p.state END
FROM reply_delivery d
WHERE p.tenant_id = %(tenant)s AND d.tenant_id = p.tenant_id AND d.reply_id = p.reply_id AND d.account_id = %(account_id)s
    AND p.attempts > 0
    AND (p.provider_id = %(provider_id)s
        OR (p.provider_id IS NULL AND p.reply_id = %(reply_id)s::text AND p.number = %(part)s::integer))
    AND (p.provider_id IS NULL OR %(rank)s > p.status_rank OR p.status IS NULL OR p.state IN ('sending', 'unknown', 'ready'))
RETURNING p.reply_id
