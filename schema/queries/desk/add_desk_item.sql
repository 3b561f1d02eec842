-- Add to a conversation's history what the desk said or what the bot is to know of it. Takes tenant, conversation, item.
-- Keeps: the item belongs to the sender whose state the conversation holds; the caller has advanced the version.
WITH place AS (
    UPDATE conversation SET last_item = last_item + 1
    WHERE tenant_id = %(tenant)s AND conversation_id = %(conversation)s
    RETURNING last_item, version, sender_key)
INSERT INTO session_item (tenant_id, conversation_id, ordinal, turn, item, sender_key)
SELECT %(tenant)s, %(conversation)s, p.last_item, p.version, %(item)s, p.sender_key FROM place p
