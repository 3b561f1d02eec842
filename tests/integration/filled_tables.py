"""Statements that put a row of a tenant into every table that an HTTP process may read."""

from __future__ import annotations

ACCOUNT = "ch_00112233445566aa"
"""The tenant's channel account; its door secret is the text `door secret`."""

FILLING = (
    "INSERT INTO tenant_settings (tenant_id, version, settings, changed_by) VALUES (%s, 1, '{}', 'x')",
    "INSERT INTO conversation (tenant_id, conversation_id, last_position) VALUES (%s, 'c-0', 1)",
    "INSERT INTO conversation_key (tenant_id, conversation_id, sealed_key) VALUES (%s, 'c-0', 'k')",
    "INSERT INTO conversation_sender VALUES (%s, 'c-0', 's', '{}', NULL, NULL)",
    (
        "INSERT INTO inbox (tenant_id, message_id, conversation_id, position, channel, payload) "
        "VALUES (%s, 'm-0', 'c-0', 1, 'chat', 'p')"
    ),
    ("INSERT INTO session_item (tenant_id, conversation_id, ordinal, turn, item) VALUES (%s, 'c-0', 1, 1, '{}')"),
    (
        "INSERT INTO turn (tenant_id, conversation_id, number, message_ids, outcome, attempts, started_at, "
        "timings) VALUES (%s, 'c-0', 1, '{}', 'answered', 1, now(), '{}')"
    ),
    (
        "INSERT INTO ticket (tenant_id, ticket_id, conversation_id, category, priority, answer_by) "
        "VALUES (%s, 't', 'c-0', 'x', 'x', now())"
    ),
    (
        "INSERT INTO outbox (tenant_id, conversation_id, ordinal, kind, entry_id, sequence, body) "
        "VALUES (%s, 'c-0', 1, 'event', 'e', 0, 'b')"
    ),
    ("INSERT INTO dead_letter (tenant_id, conversation_id, reason, attempts, payload) VALUES (%s, 'c-0', 'r', 1, 'p')"),
    (
        "INSERT INTO channel_account (tenant_id, account_id, channel, settings, secrets, door_secret, "
        "door_hash) VALUES (%s, 'ch_00112233445566aa', 'sms', '{}', 's', 'd', "
        "sha256(sha256('door secret')))"
    ),
    (
        "INSERT INTO conversation_route (tenant_id, conversation_id, sender_key, account_id, own_address) "
        "VALUES (%s, 'c-0', 's', 'ch_00112233445566aa', 'o')"
    ),
    (
        "INSERT INTO channel_command (tenant_id, message_id, account_id, own_address, sender_key, command) "
        "VALUES (%s, 'm', 'ch_00112233445566aa', 'o', 's', 'stop')"
    ),
    (
        "INSERT INTO channel_suppression (tenant_id, channel, own_address, sender_key, reason) "
        "VALUES (%s, 'sms', 'o', 's', 'r')"
    ),
    "INSERT INTO reply_conversation (tenant_id, conversation_id, channel) VALUES (%s, 'c-0', 'sms')",
    (
        "INSERT INTO reply_delivery (tenant_id, reply_id, conversation_id, ordinal, channel, account_id, "
        "own_address, sender_key, author) "
        "VALUES (%s, 'r', 'c-0', 1, 'sms', 'ch_00112233445566aa', 'o', 's', 'bot')"
    ),
    "INSERT INTO reply_part (tenant_id, reply_id, number, content) VALUES (%s, 'r', 1, 'c')",
    "INSERT INTO collected_stream (tenant_id, kind, channel, position) VALUES (%s, 'event', '', 1)",
    (
        "INSERT INTO resolution (tenant_id, conversation_id, position, resolved_at, resolved_by) "
        "VALUES (%s, 'c-0', 1, now(), 'ada')"
    ),
    "INSERT INTO desk_member (tenant_id, person, role, set_by) VALUES (%s, 'ada', 'agent', 'root')",
    (
        "INSERT INTO desk_act (tenant_id, conversation_id, number, act, by_person, from_state, to_state, version, "
        "position) VALUES (%s, 'c-0', 99, 'note', 'ada', 'bot', 'bot', 1, 1)"
    ),
    (
        "INSERT INTO approval (tenant_id, approval_id, conversation_id, position, kind, amount_usd, policy, details, "
        "expires_at) VALUES (%s, 'a', 'c-0', 1, 'refund', 500, 'p', 'd', now())"
    ),
    (
        "INSERT INTO mail_message (tenant_id, message_id, conversation_id, direction, reference) "
        "VALUES (%s, 'm-0', 'c-0', 'in', 'x')"
    ),
    "INSERT INTO mail_count (tenant_id, kind, counted, hour) VALUES (%s, 'sender', 's', now())",
    (
        "INSERT INTO mail_token (tenant_id, account_id, token_hash, mail_hash) "
        "VALUES (%s, 'ch_00112233445566aa', sha256('t'), sha256('m'))"
    ),
)
"""Each takes the tenant's name."""
