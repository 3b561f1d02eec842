-- API keys of HTTP clients, and what each tenant sets for itself, with its history. Expands only: the release before reads and
-- writes none of the new tables and columns, and a tenant without settings has the defaults.

ALTER TABLE tenant ADD COLUMN suspended_at timestamptz;      -- null: in service; else nothing more is accepted
ALTER TABLE tenant ADD COLUMN suspended_by text;
ALTER TABLE tenant ADD COLUMN suspended_because text;
ALTER TABLE tenant ADD COLUMN deleting_since timestamptz;    -- its rows are being removed, and it never comes back

-- Each change of a tenant's settings; the newest version holds. An undo is a version of its own.
CREATE TABLE tenant_settings (
    tenant_id text NOT NULL REFERENCES tenant,
    version bigint NOT NULL,
    settings jsonb NOT NULL,                                 -- what is set, without defaults: schema/tenants.py
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    changed_by text NOT NULL,
    reason text,
    restores bigint,                                         -- an undo: the version whose settings these are
    PRIMARY KEY (tenant_id, version),
    CONSTRAINT tenant_settings_version_is_positive CHECK (version > 0)
);

INSERT INTO tenant_settings (tenant_id, version, settings, changed_by)
    SELECT t.tenant_id, 1, jsonb_build_object('brand', t.brand), 'fte migrate' FROM tenant t WHERE t.brand IS NOT NULL;

-- Only the SHA-256 of a key is stored: 256 random bits need no slower hash.
CREATE TABLE api_key (
    key_id text PRIMARY KEY CONSTRAINT api_key_id_is_plain CHECK (key_id ~ '^[0-9A-Za-z]{12}$'),
    tenant_id text REFERENCES tenant,                        -- null: an operator's key, of every tenant
    key_hash bytea NOT NULL CONSTRAINT api_key_hash_is_sha256 CHECK (octet_length(key_hash) = 32),
    label text NOT NULL,                                     -- what it is for
    person text,                                             -- whom its actions go on record under; null: its label
    scopes text[] NOT NULL CONSTRAINT api_key_has_scopes CHECK (cardinality(scopes) > 0),
    addresses cidr[] NOT NULL DEFAULT '{}',                  -- networks it may come from; empty: any
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    created_by text NOT NULL,
    expires_at timestamptz,
    revoked_at timestamptz,
    revoked_by text,
    replaced_by text,                                        -- the key that a rotation made in its place
    last_used_at timestamptz,                                -- the hour
    CONSTRAINT api_key_of_operators_is_for_administration CHECK (tenant_id IS NOT NULL OR scopes = ARRAY['admin'])
);
CREATE INDEX api_key_tenant ON api_key (tenant_id);

SELECT keep_tenants_apart('tenant_settings', 'api_key');

-- What proofs of tenants are made with. Nobody but the owner of the tables reads it.
CREATE TABLE tenant_proof_secret (
    only_row boolean PRIMARY KEY DEFAULT true CONSTRAINT tenant_proof_secret_has_one_row CHECK (only_row),
    secret bytea NOT NULL
);
INSERT INTO tenant_proof_secret (secret)
    VALUES (sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())));

-- Give the proof by which a session of an HTTP process may speak for a tenant. Whoever may not read the secret is refused. In PL/pgSQL,
-- as the next: a statement under the policy that asks for it waits half as long as for a function in SQL.
CREATE FUNCTION proof_of_tenant(p_tenant text) RETURNS text LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
    v_secret bytea;
BEGIN
    SELECT s.secret INTO STRICT v_secret FROM tenant_proof_secret s;
    RETURN encode(sha256(v_secret || sha256(v_secret || convert_to(p_tenant, 'UTF8'))), 'hex');
END $$;

-- Give the tenant that this transaction speaks for (fte.tenant), if it has that tenant's proof (fte.proof); else null.
CREATE FUNCTION proven_tenant() RETURNS text LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER AS $$
DECLARE
    v_tenant text := current_setting('fte.tenant', true);
BEGIN
    RETURN CASE WHEN proof_of_tenant(v_tenant) = current_setting('fte.proof', true) THEN v_tenant END;
END $$;

-- Find one API key by its exact id, before its tenant is known. Gives one row, or none for an unknown id. Where the key may not be
-- used, refused_because says why and nothing else is said; else whose it is, what it may do, and the proof of its tenant. So
-- a proof is given for the key itself alone, and never for an id.
CREATE FUNCTION find_api_key(p_key_id text, p_key_hash bytea) RETURNS TABLE (
    refused_because text, of_tenant text, may text[], as_person text, from_addresses cidr[], until timestamptz, proof text
) LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    v_scope text := coalesce(current_setting('fte.tenant', true), '');
    v_hour timestamptz := date_trunc('hour', clock_timestamp());
    v_key api_key;
BEGIN
    PERFORM set_config('fte.tenant', '*', true);
    SELECT * INTO v_key FROM api_key k WHERE k.key_id = p_key_id;
    IF FOUND THEN
        refused_because := CASE
            WHEN v_key.key_hash <> p_key_hash THEN 'wrong'
            WHEN v_key.revoked_at <= clock_timestamp() THEN 'revoked'
            WHEN v_key.expires_at <= clock_timestamp() THEN 'expired'
        END;
        IF refused_because IS NULL THEN
            of_tenant := v_key.tenant_id;
            may := v_key.scopes;
            as_person := v_key.person;
            from_addresses := v_key.addresses;
            until := least(v_key.expires_at, v_key.revoked_at);
            proof := proof_of_tenant(v_key.tenant_id);
            UPDATE api_key k SET last_used_at = v_hour
                WHERE k.key_id = p_key_id AND k.last_used_at IS DISTINCT FROM v_hour;
        END IF;
        RETURN NEXT;
    END IF;
    PERFORM set_config('fte.tenant', v_scope, true);
END $$;

-- Count the messages that wait for an answer, for a process that sees single tenants alone. Takes where to stop counting, and proofs
-- of tenants. Gives those tenants' counts, and under a null what waits for all others together.
CREATE FUNCTION count_backlog(p_messages_max bigint, p_proofs text[]) RETURNS TABLE (of_tenant text, waiting bigint)
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    v_scope text := coalesce(current_setting('fte.tenant', true), '');
BEGIN
    PERFORM set_config('fte.tenant', '*', true);
    RETURN QUERY
        SELECT n.name, sum(n.messages)::bigint
        FROM (SELECT CASE WHEN proof_of_tenant(w.tenant_id) = ANY (p_proofs) THEN w.tenant_id END AS name, w.messages
            FROM (SELECT f.tenant_id, count(*) AS messages
                FROM (SELECT i.tenant_id FROM inbox i WHERE i.state = 'accepted' LIMIT p_messages_max) f
                GROUP BY f.tenant_id) w) n
        GROUP BY n.name;
    PERFORM set_config('fte.tenant', v_scope, true);
END $$;

-- Change a tenant's settings. Takes the whole of them, and the version that they were made from (0: none). Gives the new version;
-- null where the tenant is unknown or another change came first. The release before reads the brand from the tenant's row.
CREATE FUNCTION change_tenant_settings(
    p_tenant text, p_settings jsonb, p_version bigint, p_by text, p_reason text, p_restores bigint
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_version bigint;
BEGIN
    PERFORM FROM tenant t WHERE t.tenant_id = p_tenant FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    SELECT coalesce(max(s.version), 0) INTO v_version FROM tenant_settings s WHERE s.tenant_id = p_tenant;
    IF v_version <> p_version THEN
        RETURN NULL;
    END IF;
    INSERT INTO tenant_settings (tenant_id, version, settings, changed_by, reason, restores)
        VALUES (p_tenant, v_version + 1, p_settings, p_by, p_reason, p_restores);
    UPDATE tenant t SET brand = p_settings ->> 'brand' WHERE t.tenant_id = p_tenant;
    RETURN v_version + 1;
END $$;

-- As before, and: a suspended tenant is answered as an unknown one is, a word that gateways of the release before know. A gateway of
-- this one looks which of the two it is. What a tenant sends twice is a duplicate also while it is suspended.
CREATE OR REPLACE FUNCTION accept_message(
    p_tenant text, p_conversation text, p_message text, p_channel text, p_payload text, p_waiting_max bigint, p_sender_key text
) RETURNS TABLE (status text, at_conversation text, at_position bigint, waiting bigint)
LANGUAGE plpgsql AS $$
DECLARE
    v_last bigint;
    v_done bigint;
BEGIN
    PERFORM set_config('fte.tenant', p_tenant, true);
    SELECT i.conversation_id, i.position INTO at_conversation, at_position
        FROM inbox i WHERE i.tenant_id = p_tenant AND i.message_id = p_message;
    IF FOUND THEN
        status := 'duplicate'; RETURN NEXT; RETURN;
    END IF;
    PERFORM FROM tenant t WHERE t.tenant_id = p_tenant AND t.suspended_at IS NULL;
    IF NOT FOUND THEN
        status := 'unknown_tenant'; RETURN NEXT; RETURN;
    END IF;
    INSERT INTO conversation (tenant_id, conversation_id) VALUES (p_tenant, p_conversation) ON CONFLICT DO NOTHING;
    SELECT c.last_position, c.done_position INTO v_last, v_done
        FROM conversation c WHERE c.tenant_id = p_tenant AND c.conversation_id = p_conversation FOR NO KEY UPDATE;
    waiting := v_last - v_done;
    IF waiting >= p_waiting_max THEN
        status := 'full'; at_conversation := p_conversation; at_position := v_last; RETURN NEXT; RETURN;
    END IF;
    INSERT INTO inbox (tenant_id, message_id, conversation_id, position, channel, payload, sender_key)
        VALUES (p_tenant, p_message, p_conversation, v_last + 1, p_channel, p_payload, p_sender_key) ON CONFLICT DO NOTHING;
    IF FOUND THEN
        UPDATE conversation c
            SET last_position = v_last + 1,
                first_sender_key = CASE WHEN v_last = 0 THEN p_sender_key ELSE c.first_sender_key END
            WHERE c.tenant_id = p_tenant AND c.conversation_id = p_conversation;
        status := 'accepted'; at_conversation := p_conversation; at_position := v_last + 1;
    ELSE  -- another sender was quicker with the same message id
        SELECT i.conversation_id, i.position INTO STRICT at_conversation, at_position
            FROM inbox i WHERE i.tenant_id = p_tenant AND i.message_id = p_message;
        status := 'duplicate';
    END IF;
    RETURN NEXT;
END $$;

-- Accept one message for a process that sees single tenants alone: takes the tenant's proof once, where the policies of its role would
-- take it for each of the statements within. A tenant without its proof is answered as an unknown one is.
CREATE FUNCTION accept_proven_message(
    p_tenant text, p_conversation text, p_message text, p_channel text, p_payload text, p_waiting_max bigint, p_sender_key text
) RETURNS TABLE (status text, at_conversation text, at_position bigint, waiting bigint)
LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF proven_tenant() = p_tenant THEN
        RETURN QUERY SELECT a.status, a.at_conversation, a.at_position, a.waiting
            FROM accept_message(p_tenant, p_conversation, p_message, p_channel, p_payload, p_waiting_max, p_sender_key) AS a;
    ELSE
        status := 'unknown_tenant'; RETURN NEXT;
    END IF;
END $$;

-- What runs with its owner's rights finds its own tables, whatever the caller's search path or temporary tables say.
DO $$
DECLARE
    v_function regprocedure;
BEGIN
    FOR v_function IN SELECT p.oid FROM pg_proc p WHERE p.prosecdef AND p.pronamespace = current_schema()::regnamespace
        AND p.proname IN ('proven_tenant', 'find_api_key', 'count_backlog', 'accept_proven_message')
    LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = pg_catalog, %I, pg_temp', v_function, current_schema());
    END LOOP;
END $$;
