-- E-mail in: how many mails came from whom, which bounds what is answered, and what a provider's request was good for once.
-- Expands only: new tables, an index and a function, which the release before neither reads nor writes.

CREATE TABLE mail_count (
    tenant_id text NOT NULL,
    kind text NOT NULL,                          -- sender, conversation, domain, text
    counted text NOT NULL,                       -- a keyed hash, or a conversation's id
    hour timestamptz NOT NULL,
    messages integer NOT NULL DEFAULT 1,
    PRIMARY KEY (tenant_id, kind, counted, hour)
) WITH (fillfactor = 70);
CREATE INDEX mail_count_hour ON mail_count (hour);

-- A provider signs a token and not the mail beside it, so a token is good for one mail.
CREATE TABLE mail_token (
    tenant_id text NOT NULL,
    account_id text NOT NULL,
    token_hash bytea NOT NULL CONSTRAINT mail_token_hash_is_sha256 CHECK (octet_length(token_hash) = 32),
    mail_hash bytea NOT NULL CONSTRAINT mail_token_mail_hash_is_sha256 CHECK (octet_length(mail_hash) = 32),
    seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, account_id, token_hash),
    FOREIGN KEY (tenant_id, account_id) REFERENCES channel_account ON DELETE CASCADE
);
CREATE INDEX mail_token_seen ON mail_token (seen_at);

SELECT keep_tenants_apart('mail_count', 'mail_token');

CREATE INDEX channel_account_addresses ON channel_account USING gin ((settings -> 'addresses')) WHERE channel = 'email';

-- Find whose a mailbox is, for a mail that comes in before anything of its tenant is known: by its address, else by the domain of its
-- bounces (null: none). Gives ids alone, and no proof of a tenant.
CREATE FUNCTION find_mail_account(p_address text, p_bounce_domain text) RETURNS TABLE (of_tenant text, of_account text)
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    v_scope text := coalesce(current_setting('fte.tenant', true), '');
BEGIN
    PERFORM set_config('fte.tenant', '*', true);
    RETURN QUERY
        SELECT a.tenant_id, a.account_id FROM channel_account a
        WHERE a.channel = 'email' AND (a.settings -> 'addresses' ? p_address OR a.settings ->> 'domain' = p_bounce_domain)
        LIMIT 2;
    PERFORM set_config('fte.tenant', v_scope, true);
END $$;

-- What runs with its owner's rights finds its own tables, whatever the caller's search path or temporary tables say.
DO $$
DECLARE
    v_function regprocedure;
BEGIN
    FOR v_function IN SELECT p.oid FROM pg_proc p WHERE p.prosecdef AND p.pronamespace = current_schema()::regnamespace
        AND p.proname = 'find_mail_account'
    LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = pg_catalog, %I, pg_temp', v_function, current_schema());
    END LOOP;
END $$;
