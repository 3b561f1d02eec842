-- Turns that answer several messages of one customer, and that do not answer past one which has just come.

-- As before, and: where p_conversation_row has a seen_position (a worker of an earlier release sends none), raises FT005 when
-- a message came behind it: the reply would be stale. The conversation's row is held from here on, so of a message and a
-- commit that meet, either the turn sees the message or the message is accepted after the turn.
CREATE OR REPLACE FUNCTION commit_turn(
    p_tenant text, p_conversation text, p_version bigint, p_message_ids text[], p_done_position bigint,
    p_state text, p_conversation_row jsonb, p_turn jsonb, p_items jsonb, p_outbox jsonb
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_item bigint;
    v_last bigint;
    v_done bigint;
    v_moved integer;
BEGIN
    UPDATE conversation c
        SET version = c.version + 1,
            done_position = p_done_position,
            last_sequence = coalesce((p_conversation_row ->> 'last_sequence')::bigint, c.last_sequence),
            last_ordinal = c.last_ordinal + jsonb_array_length(p_outbox),
            last_item = c.last_item + jsonb_array_length(p_items),
            last_agent = coalesce(p_conversation_row ->> 'last_agent', c.last_agent),
            context = coalesce(p_conversation_row -> 'context', c.context),
            vault = coalesce(p_conversation_row ->> 'vault', c.vault),
            updated_at = clock_timestamp()
        WHERE c.tenant_id = p_tenant AND c.conversation_id = p_conversation AND c.version = p_version
        RETURNING c.last_item - jsonb_array_length(p_items), c.last_position INTO v_item, v_last;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'conversation % is no longer at version %', p_conversation, p_version USING ERRCODE = 'FT001';
    END IF;
    IF v_last > (p_conversation_row ->> 'seen_position')::bigint THEN
        RAISE EXCEPTION 'conversation %: message % came while % was answered', p_conversation, v_last,
            p_conversation_row ->> 'seen_position' USING ERRCODE = 'FT005';
    END IF;
    UPDATE inbox i
        SET state = p_state, finished_at = clock_timestamp(),
            payload = CASE WHEN p_state = 'dead' THEN i.payload END
        WHERE i.tenant_id = p_tenant AND i.message_id = ANY (p_message_ids) AND i.conversation_id = p_conversation
            AND i.state = 'accepted' AND i.position <= p_done_position;
    GET DIAGNOSTICS v_moved = ROW_COUNT;
    SELECT count(*) INTO v_done FROM inbox i
        WHERE i.tenant_id = p_tenant AND i.conversation_id = p_conversation AND i.state = 'accepted'
            AND i.position <= p_done_position;
    IF v_moved <> cardinality(p_message_ids) OR v_done > 0 THEN
        RAISE EXCEPTION 'conversation %: % of % messages were open, % earlier ones are', p_conversation, v_moved,
            cardinality(p_message_ids), v_done USING ERRCODE = 'FT002';
    END IF;
    INSERT INTO session_item (tenant_id, conversation_id, ordinal, turn, item)
        SELECT p_tenant, p_conversation, v_item + e.ordinality, p_version + 1, e.value
        FROM jsonb_array_elements(p_items) WITH ORDINALITY AS e (value, ordinality);
    INSERT INTO outbox (tenant_id, conversation_id, ordinal, kind, channel, entry_id, sequence, body)
        SELECT p_tenant, p_conversation, o.ordinal, o.kind, o.channel, o.entry_id, o.sequence, o.body
        FROM jsonb_to_recordset(p_outbox)
            AS o (ordinal bigint, kind text, channel text, entry_id text, sequence bigint, body text);
    INSERT INTO turn (tenant_id, conversation_id, number, message_ids, outcome, agent, attempts,
            started_at, timings, model_calls, tool_calls, verdicts)
        SELECT p_tenant, p_conversation, p_version + 1, p_message_ids, t.outcome, t.agent, t.attempts,
            t.started_at, t.timings, t.model_calls, coalesce(t.tool_calls, '[]'), t.verdicts
        FROM jsonb_to_record(p_turn) AS t (outcome text, agent text, attempts integer,
            started_at timestamptz, timings jsonb, model_calls jsonb, tool_calls jsonb, verdicts jsonb);
    DELETE FROM journal j WHERE j.tenant_id = p_tenant AND j.message_id = ANY (p_message_ids);
    DELETE FROM tool_journal j WHERE j.tenant_id = p_tenant AND j.message_id = ANY (p_message_ids);
END $$;
