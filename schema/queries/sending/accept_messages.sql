-- Accept messages of one tenant in the order given. Takes tenant, how many may wait in a conversation, and of equal length the
-- lists conversations, message_ids, channels, payloads (sealed), sender_keys (the keyed hash of each sender).
-- Returns for each, in order: status (accepted | duplicate | full | unknown_tenant), conversation, position, how many wait.
-- Keeps: one row per tenant and message id; positions 1, 2, 3 … within the conversation; each message sees those before it.
SELECT a.status, a.at_conversation, a.at_position, a.waiting
FROM unnest(%(conversations)s::text[], %(message_ids)s::text[], %(channels)s::text[], %(payloads)s::text[], %(sender_keys)s::text[])
    WITH ORDINALITY AS m (conversation, message_id, channel, payload, sender_key, number)
CROSS JOIN LATERAL accept_message(
    %(tenant)s, m.conversation, m.message_id, m.channel, m.payload, %(waiting_max)s, m.sender_key) AS a
ORDER BY m.number
