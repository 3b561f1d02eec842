-- Accept one message. Takes tenant, conversation, message id, channel, sealed payload, how many may wait, the keyed hash of its
-- sender (null: whoever answers the message fills it in).
-- Returns status (accepted | duplicate | full | unknown_tenant), conversation, position, how many wait.
-- Keeps: one row per tenant and message id; positions 1, 2, 3 … within the conversation.
SELECT status, at_conversation, at_position, waiting
FROM accept_message(%(tenant)s, %(conversation)s, %(message_id)s, %(channel)s, %(payload)s, %(waiting_max)s, %(sender_key)s)
