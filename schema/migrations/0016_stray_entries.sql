-- A mailbox entry that the inbox does not know is kept as one dead letter, however often a worker dies before it takes the
-- entry away. Expands only: the release before writes no entry, which any number of letters may share (the index leaves
-- them out), and goes on as before.

ALTER TABLE dead_letter ADD COLUMN entry bigint; -- of a stray entry: the number made of it; null: an accepted message's

CREATE UNIQUE INDEX dead_letter_entry_is_kept_once ON dead_letter (tenant_id, conversation_id, entry) WHERE entry IS NOT NULL;
