-- What of conversations is past its days goes: a function that removes the oldest turns of one conversation. Expands only: nobody of the
-- release before calls it, and its verification alone misses what is gone.

-- Remove what a conversation has from before a time, turn by turn, with their messages, items, outbox rows and dead letters; the ids of the
-- messages stay as keyed hashes. Gives how many turns went: none where one of their outbox rows is not published yet.
CREATE FUNCTION expire_turns(p_tenant text, p_conversation text, p_before timestamptz) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_turn bigint;
    v_at timestamptz;
    v_position bigint;
    v_ordinal bigint;
    v_sequence bigint;
    v_removed bigint;
BEGIN
    PERFORM FROM conversation c WHERE c.tenant_id = p_tenant AND c.conversation_id = p_conversation FOR NO KEY UPDATE;
    SELECT max(t.number), max(t.committed_at) INTO v_turn, v_at FROM turn t
        WHERE t.tenant_id = p_tenant AND t.conversation_id = p_conversation AND t.committed_at < p_before;
    SELECT max(o.ordinal) INTO v_ordinal FROM outbox o
        WHERE o.tenant_id = p_tenant AND o.conversation_id = p_conversation AND o.created_at <= v_at;
    IF v_turn IS NULL OR EXISTS (SELECT FROM outbox o WHERE o.tenant_id = p_tenant AND o.conversation_id = p_conversation
        AND o.ordinal <= v_ordinal AND o.published_at IS NULL)
    THEN
        RETURN 0;
    END IF;
    SELECT max(i.position) INTO v_position FROM inbox i
        WHERE i.tenant_id = p_tenant AND i.conversation_id = p_conversation AND i.finished_at <= v_at;
    SELECT max(o.sequence) INTO v_sequence FROM outbox o
        WHERE o.tenant_id = p_tenant AND o.conversation_id = p_conversation AND o.ordinal <= v_ordinal AND o.kind = 'reply';
    INSERT INTO accepted_id (tenant_id, message_hash)
        SELECT p_tenant, keyed_hash(p_tenant, 'message ' || i.message_id) FROM inbox i
        WHERE i.tenant_id = p_tenant AND i.conversation_id = p_conversation AND i.position <= v_position
        ON CONFLICT DO NOTHING;
    DELETE FROM dead_letter d WHERE d.tenant_id = p_tenant AND d.conversation_id = p_conversation
        AND (d.message_id IN (SELECT i.message_id FROM inbox i
                WHERE i.tenant_id = p_tenant AND i.conversation_id = p_conversation AND i.position <= v_position)
            OR d.message_id IS NULL AND d.created_at <= v_at);
    DELETE FROM inbox i
        WHERE i.tenant_id = p_tenant AND i.conversation_id = p_conversation AND i.position <= v_position;
    DELETE FROM outbox o WHERE o.tenant_id = p_tenant AND o.conversation_id = p_conversation AND o.ordinal <= v_ordinal;
    DELETE FROM session_item s WHERE s.tenant_id = p_tenant AND s.conversation_id = p_conversation AND s.turn <= v_turn;
    DELETE FROM turn t WHERE t.tenant_id = p_tenant AND t.conversation_id = p_conversation AND t.number <= v_turn;
    GET DIAGNOSTICS v_removed = ROW_COUNT;
    UPDATE conversation c
        SET gone_position = greatest(c.gone_position, v_position), gone_ordinal = greatest(c.gone_ordinal, v_ordinal),
            gone_sequence = greatest(c.gone_sequence, v_sequence)
        WHERE c.tenant_id = p_tenant AND c.conversation_id = p_conversation;
    RETURN v_removed;
END $$;
