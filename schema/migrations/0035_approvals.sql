-- Approvals: changes that customers have said yes to and that need a person's yes as well.

CREATE TABLE approval (
    tenant_id text NOT NULL,
    approval_id text NOT NULL,                   -- derived from the message that said yes: a turn run again asks once
    conversation_id text NOT NULL,
    position bigint NOT NULL,                    -- of that message
    kind text NOT NULL,
    amount_usd bigint NOT NULL,                  -- what it costs the airline
    policy text NOT NULL,                        -- the rule of the tenant that asks
    details text NOT NULL,                       -- sealed: what is to be done, and where the customer wrote from
    requested_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz NOT NULL,
    state text NOT NULL DEFAULT 'waiting' CONSTRAINT approval_state_is_known CHECK (state IN
        ('waiting', 'approved', 'rejected', 'expired', 'cancelled', 'applied', 'changed', 'told')),
    decided_at timestamptz,
    decided_by text,
    reason text,
    decision_message text,                       -- the message by which the decision is in the conversation's mailbox
    settled_at timestamptz,                      -- when the turn that took the decision up was committed
    PRIMARY KEY (tenant_id, approval_id),
    FOREIGN KEY (tenant_id, conversation_id) REFERENCES conversation,
    CONSTRAINT approval_is_decided_by_somebody CHECK ((state = 'waiting') = (decided_by IS NULL)),
    CONSTRAINT approval_settled_after_a_decision CHECK ((state IN ('applied', 'changed', 'told')) = (settled_at IS NOT NULL))
);
CREATE INDEX approval_waiting ON approval (tenant_id, expires_at, approval_id) WHERE state = 'waiting';
CREATE UNIQUE INDEX approval_decision ON approval (tenant_id, decision_message) WHERE decision_message IS NOT NULL;
CREATE INDEX approval_conversation ON approval (tenant_id, conversation_id);

SELECT keep_tenants_apart('approval');

-- Decide an approval that waits, or say why not. Takes who decides ('clock': it has expired) and the decision: approved, rejected or
-- expired. Gives outcome: done · unknown · decided (before) · expired · own (who decides has written in the conversation) · human (a
-- person has the conversation, and does it by hand); and the row as it is then. Keeps: of several decisions one; the conversation's
-- row locked until the transaction ends, so that no takeover comes between the decision and its message.
CREATE FUNCTION decide_approval(
    p_tenant text, p_approval text, p_person text, p_decision text, p_reason text, p_message text
) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_row approval;
    v_owner text;
BEGIN
    SELECT * INTO v_row FROM approval a WHERE a.tenant_id = p_tenant AND a.approval_id = p_approval;
    IF NOT FOUND THEN
        RETURN jsonb_build_object('outcome', 'unknown');
    END IF;
    SELECT c.owner INTO v_owner FROM conversation c
        WHERE c.tenant_id = p_tenant AND c.conversation_id = v_row.conversation_id FOR NO KEY UPDATE;
    SELECT * INTO v_row FROM approval a WHERE a.tenant_id = p_tenant AND a.approval_id = p_approval FOR UPDATE;
    IF v_row.state <> 'waiting' THEN
        RETURN to_jsonb(v_row) || jsonb_build_object('outcome', 'decided');
    END IF;
    IF v_owner = 'human' THEN
        RETURN to_jsonb(v_row) || jsonb_build_object('outcome', 'human');
    END IF;
    IF (v_row.expires_at <= clock_timestamp()) <> (p_decision = 'expired') THEN
        RETURN to_jsonb(v_row) || jsonb_build_object('outcome', 'expired');
    END IF;
    IF EXISTS (SELECT FROM desk_act d WHERE d.tenant_id = p_tenant AND d.conversation_id = v_row.conversation_id
        AND d.act = 'reply' AND d.by_person = p_person)
    THEN
        RETURN to_jsonb(v_row) || jsonb_build_object('outcome', 'own');
    END IF;
    UPDATE approval a
        SET state = p_decision, decided_at = clock_timestamp(), decided_by = p_person, reason = p_reason,
            decision_message = p_message
        WHERE a.tenant_id = p_tenant AND a.approval_id = p_approval
        RETURNING * INTO v_row;
    RETURN to_jsonb(v_row) || jsonb_build_object('outcome', 'done');
END $$;
