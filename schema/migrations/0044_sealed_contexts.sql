-- Contexts sealed with their conversation's own key, field by field. Expands only: a new function; nothing is sealed so before every
-- process reads it (FTE_CONVERSATION_KEYS).

-- Give a context with the key that opens it, where its fields are sealed; any other as it is. Fields are sealed one by one, so that a
-- statement can take one out (move_conversation) without the key.
CREATE FUNCTION context_with_key(p_tenant text, p_conversation text, p_context jsonb) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN p_context ? 'sealed' THEN (
        SELECT jsonb_object_agg(f.key, CASE jsonb_typeof(f.value)
            WHEN 'string' THEN to_jsonb(with_key(p_tenant, p_conversation, f.value #>> '{}')) ELSE f.value END)
        FROM jsonb_each(p_context) f) ELSE p_context END
$$;
