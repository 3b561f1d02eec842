"""Event: what operators and dashboards are told of a conversation."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from schema.messages.wire import ConversationId, TenantId, WireModel

EventName = Literal[
    "conversation.escalated",
    "conversation.taken_over",
    "conversation.handed_back",
    "conversation.claimed",
    "conversation.claim_lapsed",
    "conversation.reassigned",
    "conversation.snoozed",
    "conversation.noted",
    "conversation.overdue",
    "conversation.resolved",
    "conversation.reopened",
    "approval.requested",
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
"""The names that this release writes; those of the desk's acts but for a change of owner, and of approvals, only for
tenants that say so (`desk.tells_every_act`): readers of the release before know no such names."""

ANY_EVENT_NAME: Final = re.compile(r"^[a-z][a-z_]*(\.[a-z][a-z_]*)+$")
AnyEventName = Annotated[str, StringConstraints(pattern=ANY_EVENT_NAME.pattern, max_length=64)]
"""What is read as a name: the next release may write names that this one does not know."""


class Event(WireModel):
    """What happened in a conversation, for operators and dashboards; holds no text of the customer."""

    event_id: str = Field(max_length=64)
    tenant: TenantId
    conversation: ConversationId
    name: AnyEventName
    attributes: dict[str, str] = Field(default_factory=dict, max_length=16)
    trace_id: str = Field(max_length=64)
    created_at: AwareDatetime
