-- Remove the turns of a conversation from before a time, with all that belongs to them. Takes tenant, conversation, before.
-- Returns removed: how many turns.
SELECT expire_turns(%(tenant)s, %(conversation)s, %(before)s) AS removed
