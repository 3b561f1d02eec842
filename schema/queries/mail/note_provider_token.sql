-- Note for which mail a provider's token was used, once. Takes tenant, account_id, token_hash, mail_hash. Returns is_same: whether it is
-- this mail; the token comes again with it when the provider tries again.
WITH noted AS (
    INSERT INTO mail_token AS t (tenant_id, account_id, token_hash, mail_hash)
    VALUES (%(tenant)s, %(account_id)s, %(token_hash)s, %(mail_hash)s)
    ON CONFLICT (tenant_id, account_id, token_hash) DO UPDATE SET mail_hash = t.mail_hash
    RETURNING t.mail_hash
)
SELECT mail_hash = %(mail_hash)s AS is_same FROM noted
