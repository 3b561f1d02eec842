-- The audit log: what operators and people of the desk did, one hash chain for each tenant. Expands only: new tables, which the release
-- before neither reads nor writes; their triggers refuse what no release does.

-- The head of each chain: how many entries there are, and the newest one's hash. Its row is locked by whoever appends, until the
-- transaction of the act ends, so numbers have no gaps. '*' is the chain of what belongs to no tenant.
CREATE TABLE audit_chain (
    tenant_id text PRIMARY KEY,
    entries bigint NOT NULL DEFAULT 0 CONSTRAINT audit_chain_entries_not_negative CHECK (entries >= 0),
    head_hash bytea NOT NULL DEFAULT decode(repeat('00', 32), 'hex')
);

-- Who did what, and when. Of what it was done to, and why, there are hashes alone: erasing those leaves the chain whole.
CREATE TABLE audit_entry (
    tenant_id text NOT NULL,
    number bigint NOT NULL,                      -- 1, 2, 3 … within the chain
    at timestamptz NOT NULL,
    actor text NOT NULL,                         -- the name of who acted
    role text NOT NULL,                          -- as what: operator, admin, a role of the desk
    address text,                                -- where the request came from; null: a command on a machine of the deployment
    operation text NOT NULL,                     -- such as conversation.taken_over
    object_kind text NOT NULL,                   -- such as conversation
    before_hash bytea,                           -- keyed with the detail's salt; null: there was nothing
    after_hash bytea,
    detail_hash bytea NOT NULL,                  -- of the salt, object, conversation and reason
    prior_hash bytea NOT NULL,                   -- the hash of the entry before
    hash bytea NOT NULL,
    PRIMARY KEY (tenant_id, number)
);
CREATE INDEX audit_entry_at ON audit_entry (tenant_id, at);

-- What may have to be erased of an entry.
CREATE TABLE audit_detail (
    tenant_id text NOT NULL,
    number bigint NOT NULL,
    salt bytea,
    object text,                                 -- the object's id
    conversation_id text,
    reason text,
    erased_by bigint,                            -- the number of the entry that records the erasure; all else is null then
    PRIMARY KEY (tenant_id, number),
    CONSTRAINT audit_detail_is_kept_or_erased CHECK ((salt IS NULL) = (erased_by IS NOT NULL))
);
CREATE INDEX audit_detail_conversation ON audit_detail (tenant_id, conversation_id) WHERE conversation_id IS NOT NULL;

SELECT keep_tenants_apart('audit_chain', 'audit_entry', 'audit_detail');

-- Join fields so that no two lists of fields give the same bytes: each with its length in bytes before it, a null as a dash.
CREATE FUNCTION audit_fields(VARIADIC p_fields text[]) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
    SELECT convert_to(string_agg(coalesce(octet_length(convert_to(f.value, 'UTF8')) || ':' || f.value, '-') || ',', '' ORDER BY f.place), 'UTF8')
    FROM unnest(p_fields) WITH ORDINALITY AS f (value, place)
$$;

-- Append an entry to a chain; gives its number. The caller's transaction is that of the act: both are there, or neither.
CREATE FUNCTION append_audit_entry(
    p_tenant text, p_actor text, p_role text, p_address text, p_operation text, p_object_kind text, p_before bytea, p_after bytea,
    p_salt bytea, p_object text, p_conversation text, p_reason text
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_number bigint;
    v_prior bytea;
    v_at timestamptz;
    v_detail bytea := sha256(p_salt || audit_fields(p_object, p_conversation, p_reason));
    v_hash bytea;
BEGIN
    INSERT INTO audit_chain (tenant_id) VALUES (p_tenant) ON CONFLICT DO NOTHING;
    SELECT c.entries + 1, c.head_hash INTO STRICT v_number, v_prior
        FROM audit_chain c WHERE c.tenant_id = p_tenant FOR NO KEY UPDATE;
    v_at := clock_timestamp();
    v_hash := sha256(audit_fields('fte audit 1', p_tenant, v_number::text,
        to_char(v_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), p_actor, p_role, p_address, p_operation, p_object_kind,
        encode(p_before, 'hex'), encode(p_after, 'hex'), encode(v_detail, 'hex'), encode(v_prior, 'hex')));
    INSERT INTO audit_entry (tenant_id, number, at, actor, role, address, operation, object_kind, before_hash, after_hash,
            detail_hash, prior_hash, hash)
        VALUES (p_tenant, v_number, v_at, p_actor, p_role, p_address, p_operation, p_object_kind, p_before, p_after,
            v_detail, v_prior, v_hash);
    INSERT INTO audit_detail (tenant_id, number, salt, object, conversation_id, reason)
        VALUES (p_tenant, v_number, p_salt, p_object, p_conversation, p_reason);
    UPDATE audit_chain c SET entries = v_number, head_hash = v_hash WHERE c.tenant_id = p_tenant;
    RETURN v_number;
END $$;

-- Refuse whatever would change the log. Only of a tenant that is being deleted entries go: its deletion stands in the chain '*'.
CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND EXISTS (SELECT FROM deleted_tenant d WHERE d.tenant_id = OLD.tenant_id) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'the audit log is only appended to' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER audit_entry_is_kept BEFORE UPDATE OR DELETE ON audit_entry FOR EACH ROW EXECUTE FUNCTION refuse_audit_change();
CREATE TRIGGER audit_entry_is_not_truncated BEFORE TRUNCATE ON audit_entry EXECUTE FUNCTION refuse_audit_change();
CREATE TRIGGER audit_detail_is_kept BEFORE DELETE ON audit_detail FOR EACH ROW EXECUTE FUNCTION refuse_audit_change();
CREATE TRIGGER audit_chain_is_kept BEFORE DELETE ON audit_chain FOR EACH ROW EXECUTE FUNCTION refuse_audit_change();
