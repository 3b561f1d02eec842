"""Turn outbox rows, ended episodes and receipts into webhook events: ids and names, no customer's words or address."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from schema.messages.escalation import Escalation
from schema.messages.event import Event
from schema.messages.reply import Reply
from schema.messages.webhook import Webhook, WebhookData

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from schema.ids import ConversationKey

MESSAGE_IDS_MAX: Final = 50
"""Message ids in one body: receivers are promised less than 20 kB."""


@dataclass(frozen=True)
class Happening:
    """What a webhook tells, before it has its place in the conversation."""

    event_id: str
    type: str
    at: datetime
    """By the clock of the process that did it."""
    attributes: dict[str, Any]
    stored_at: datetime
    """By the database's clock, as the time at which a target was added."""


def read_outbox_row(key: ConversationKey, row: Mapping[str, Any], body: str) -> Happening:
    """Read a row as `find_webhook_rows` gives it, with its body opened.

    Raises ValueError (pydantic's) for one that this release cannot read.
    """
    event_id, kind, stored_at = _event_id(key, f"outbox {row['ordinal']}"), row["kind"], row["created_at"]
    if kind == "reply":
        reply = Reply.model_validate_json(body)
        return Happening(event_id, "message.answered", reply.created_at, _about_reply(reply), stored_at)
    if kind == "escalation":
        escalation = Escalation.model_validate_json(body)
        return Happening(event_id, "ticket.created", escalation.created_at, _about_ticket(escalation), stored_at)
    event = Event.model_validate_json(body)
    return Happening(event_id, event.name, event.created_at, dict(event.attributes), stored_at)


def read_episode(key: ConversationKey, row: Mapping[str, Any]) -> Happening:
    """Read an ended episode as `find_closed_episodes` gives it."""
    attributes = {
        "episode": row["number"],
        "reason": row["close_reason"],
        "channel": row["channel"],
        "opened_at": row["opened_at"].isoformat(),
        "messages": row["messages"],
        "replies": row["replies"],
        "has_ticket": row["has_ticket"],
    }
    closed_at = row["closed_at"]
    return Happening(
        _event_id(key, f"episode {row['number']}"), "conversation.completed", closed_at, attributes, closed_at
    )


def read_receipt(key: ConversationKey, row: Mapping[str, Any]) -> Happening:
    """Read whether a reply arrived as `find_reply_receipts` gives it."""
    attributes = {"reply_id": row["reply_id"], "channel": row["channel"], "code": row["receipt_code"]}
    event_id = _event_id(key, f"receipt {row['reply_id']} {row['receipt']}")
    return Happening(event_id, f"reply.{row['receipt']}", row["receipt_at"], attributes, row["receipt_at"])


def write_body(key: ConversationKey, happening: Happening, sequence: int) -> str:
    """Write the body as it is signed and sent, the same bytes at each attempt."""
    data = WebhookData(
        tenant=key.tenant, conversation=key.conversation, sequence=sequence, attributes=happening.attributes
    )
    return Webhook(type=happening.type, timestamp=happening.at, data=data).model_dump_json()


def _about_reply(reply: Reply) -> dict[str, Any]:
    return {
        "reply_id": reply.reply_id,
        "reply_sequence": reply.sequence,
        "message_ids": reply.in_reply_to[-MESSAGE_IDS_MAX:],
        "channel": reply.channel,
        "agent": reply.agent,
        "issue_type": reply.issue_type,
    }


def _about_ticket(escalation: Escalation) -> dict[str, Any]:
    return {
        "ticket_id": escalation.ticket_id,
        "category": escalation.category,
        "priority": escalation.priority,
        "answer_by": escalation.answer_by.isoformat(),
    }


def _event_id(key: ConversationKey, what: str) -> str:
    """Return the id of a webhook event: derived, so whoever makes it anew makes the same."""
    return "msg_" + hashlib.sha256(f"fte webhook {key} {what}".encode()).hexdigest()[:32]
