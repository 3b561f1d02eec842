-- Accept messages as a process that sees single tenants alone: as accept_messages does, where the transaction has the tenant's
-- proof. Takes and returns what accept_messages does; unknown_tenant also without the proof.
SELECT a.status, a.at_conversation, a.at_position, a.waiting
FROM unnest(%(conversations)s::text[], %(message_ids)s::text[], %(channels)s::text[], %(payloads)s::text[], %(sender_keys)s::text[])
    WITH ORDINALITY AS m (conversation, message_id, channel, payload, sender_key, number)
CROSS JOIN LATERAL accept_proven_message(
    %(tenant)s, m.conversation, m.message_id, m.channel, m.payload, %(waiting_max)s, m.sender_key) AS a
ORDER BY m.number
