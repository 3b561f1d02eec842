-- E-mail: what is known of each mail of a conversation, so that answers continue its thread and mails that come in find it.
-- Expands only: a new table, which the release before neither reads nor writes.

CREATE TABLE mail_message (
    tenant_id text NOT NULL,
    message_id text NOT NULL,                    -- the inbox's id of a mail that came in, the reply's id of one that went out
    conversation_id text NOT NULL,
    direction text NOT NULL CONSTRAINT mail_message_direction_is_known CHECK (direction IN ('in', 'out')),
    reference text NOT NULL,                     -- of the conversation in tokens: producer/channels/email/tokens.py
    id_hash bytea CONSTRAINT mail_message_id_hash_is_sha256 CHECK (octet_length(id_hash) = 32),
                                                 -- SHA-256 of its Message-ID without the brackets; null: it has none
    head text,                                   -- sealed JSON of a mail that came in: message_id, references, subject
    seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, message_id)
);
CREATE INDEX mail_message_conversation ON mail_message (tenant_id, conversation_id);
CREATE INDEX mail_message_reference ON mail_message (tenant_id, reference);
CREATE INDEX mail_message_id_hash ON mail_message (tenant_id, id_hash) WHERE id_hash IS NOT NULL;
CREATE INDEX mail_message_seen ON mail_message (seen_at);

SELECT keep_tenants_apart('mail_message');
