"""Event: what operators and dashboards are told of a conversation."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, Field

from schema.messages.wire import ConversationId, TenantId, WireModel

EventName = Literal[
    "conversation.escalated",
    "conversation.taken_over",
    "conversation.handed_back",
    "message.abusive",
    "message.emergency",
    "message.refused",
    "message.dead",
    "message.forwarded",
    "ticket.opened",
    "letter.opened",
    "letter.redriven",
    "letter.dropped",
    "entries.erased",
    "model.degraded",
    "model.recovered",
    "spend.warning",
    "spend.exhausted",
]


class Event(WireModel):
    """What happened in a conversation, for operators and dashboards; holds no text of the customer."""

    event_id: str = Field(max_length=64)
    tenant: TenantId
    conversation: ConversationId
    name: EventName
    attributes: dict[str, str] = Field(default_factory=dict, max_length=16)
    trace_id: str = Field(max_length=64)
    created_at: AwareDatetime
