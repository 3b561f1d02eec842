-- A key of its own for each conversation, which seals what is kept of it; destroyed, nothing that it sealed is readable any more, wherever a
-- copy lies. Expands only: a new table; nothing is sealed with such a key before every process reads it (FTE_CONVERSATION_KEYS).

CREATE TABLE conversation_key (
    tenant_id text NOT NULL,
    conversation_id text NOT NULL,
    sealed_key text NOT NULL,                    -- sealed with the vault's key
    made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, conversation_id)
);
SELECT keep_tenants_apart('conversation_key');

-- Give a sealed value with the key that opens it, where its conversation's key sealed it ('c1.' before it); any other as it is. So whoever
-- reads a value has its key in the same round trip. Without the key it stays as it is, and nobody opens it.
CREATE FUNCTION with_key(p_tenant text, p_conversation text, p_sealed text) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN starts_with(p_sealed, 'c1.') THEN coalesce(
        (SELECT 'k1.' || k.sealed_key || '.' || substr(p_sealed, 4) FROM conversation_key k
            WHERE k.tenant_id = p_tenant AND k.conversation_id = p_conversation), p_sealed) ELSE p_sealed END
$$;

-- The same for a session item, of which a sealed one has its type and role beside what is sealed.
CREATE FUNCTION item_with_key(p_tenant text, p_conversation text, p_item jsonb) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN p_item ? 'sealed'
        THEN jsonb_set(p_item, '{sealed}', to_jsonb(with_key(p_tenant, p_conversation, p_item ->> 'sealed'))) ELSE p_item END
$$;

-- Keep the key that a turn made for its conversation. Raises FT001, as a turn that comes too late, where there is another by now.
CREATE FUNCTION keep_conversation_key(p_tenant text, p_conversation text, p_sealed_key text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO conversation_key (tenant_id, conversation_id, sealed_key) VALUES (p_tenant, p_conversation, p_sealed_key)
        ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'conversation % has another key by now', p_conversation USING ERRCODE = 'FT001';
    END IF;
END $$;
