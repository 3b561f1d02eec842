-- Episodes: the stretches of a conversation that end when it is resolved or has been silent for long enough. A job keeps
-- them, never a turn.

CREATE TABLE episode (
    tenant_id text NOT NULL,
    conversation_id text NOT NULL,
    number bigint NOT NULL,                      -- 1, 2, 3 … within the conversation
    first_position bigint NOT NULL,              -- of its first message, as inbox.position
    last_position bigint NOT NULL,               -- of its newest message that is answered
    channel text NOT NULL,                       -- of that message: how long it may be silent
    opened_at timestamptz NOT NULL,              -- when its first message was accepted
    last_at timestamptz NOT NULL,                -- when its newest message was accepted, or answered
    look_at timestamptz NOT NULL,                -- when the job looks at it again, if nothing comes
    closed_at timestamptz,                       -- when it was resolved, or had been silent for long enough
    close_reason text CONSTRAINT episode_close_reason_is_known CHECK (close_reason IN ('idle', 'resolved')),
    rule_version integer NOT NULL,               -- of the rules by which it was told from the next
    noted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, conversation_id, number),
    FOREIGN KEY (tenant_id, conversation_id) REFERENCES conversation,
    CONSTRAINT episode_begins_once UNIQUE (tenant_id, conversation_id, first_position),
    CONSTRAINT episode_positions_ascend CHECK (first_position <= last_position),
    CONSTRAINT episode_is_closed_for_a_reason CHECK ((closed_at IS NULL) = (close_reason IS NULL))
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX episode_open ON episode (tenant_id, conversation_id) WHERE closed_at IS NULL;
CREATE INDEX episode_look ON episode (look_at) WHERE closed_at IS NULL;
CREATE INDEX episode_noted ON episode (tenant_id, noted_at) WHERE closed_at IS NOT NULL;

-- That somebody called a conversation resolved, up to a position.
CREATE TABLE resolution (
    tenant_id text NOT NULL,
    conversation_id text NOT NULL,
    position bigint NOT NULL,                    -- conversation.done_position at the time
    resolved_at timestamptz NOT NULL,
    resolved_by text NOT NULL CONSTRAINT resolution_names_a_person CHECK (length(resolved_by) BETWEEN 1 AND 200),
    taken_up_at timestamptz,                     -- when the job closed the episode
    PRIMARY KEY (tenant_id, conversation_id, position),
    FOREIGN KEY (tenant_id, conversation_id) REFERENCES conversation
);
CREATE INDEX resolution_open ON resolution (resolved_at) WHERE taken_up_at IS NULL;

-- Up to when turns were committed that the job has taken up; no row: none.
CREATE TABLE episode_progress (
    tenant_id text PRIMARY KEY REFERENCES tenant,
    read_to timestamptz NOT NULL
);

SELECT keep_tenants_apart('episode', 'resolution', 'episode_progress');

CREATE INDEX turn_committed ON turn (tenant_id, committed_at);
