-- What became of a dead letter: kept until an operator hands it in again, or drops it. Expands only: the previous release
-- goes on adding letters, which are 'kept'.

ALTER TABLE dead_letter
    ADD COLUMN state text NOT NULL DEFAULT 'kept'
        CONSTRAINT dead_letter_state_is_known CHECK (state IN ('kept', 'redriven', 'dropped')),
    ADD COLUMN settled_at timestamptz,
    ADD COLUMN settled_by text,                  -- the operator
    ADD COLUMN settled_because text,
    ADD COLUMN redriven_as text,                 -- the new message's id
    ALTER COLUMN payload DROP NOT NULL,
    ADD CONSTRAINT dead_letter_settled_at_null_while_kept CHECK ((state = 'kept') = (settled_at IS NULL)),
    ADD CONSTRAINT dead_letter_settled_by_somebody CHECK ((settled_at IS NULL) = (settled_by IS NULL)),
    ADD CONSTRAINT dead_letter_redriven_has_a_new_message CHECK (state <> 'redriven' OR redriven_as IS NOT NULL),
    ADD CONSTRAINT dead_letter_payload_kept_until_dropped CHECK ((state = 'dropped') = (payload IS NULL));
