"""What requests to the desk of human agents, and its answers, say."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, Field

from ops.console.bodies import Body, Reason
from ops.desk.desk import NOTE_CHARACTERS_MAX
from ops.desk.roles import Role
from schema.ids import CONVERSATION_PATTERN
from schema.messages.reply import REPLY_CHARACTERS_MAX

State = Literal["bot", "waiting", "human", "resolved"]


class Why(Body):
    """Why something is done."""

    reason: Reason = None


class HandBack(Body):
    """A line for the bot."""

    line: str | None = Field(default=None, max_length=500, description="what the bot is to know")


class NewReply(Body):
    """A reply to the customer, and what its writer has seen."""

    text: str = Field(min_length=1, max_length=REPLY_CHARACTERS_MAX)
    desk_version: int = Field(ge=0, le=2**62, strict=True, description="as the conversation had it when it was read")
    seen_position: int = Field(ge=0, le=2**62, strict=True, description="of the newest message that was read")
    request_id: str | None = Field(
        default=None, pattern=r"^[!-~]{1,100}$", description="sent once, however often it is asked for"
    )


class NewNote(Body):
    """A note that only people read."""

    text: str = Field(min_length=1, max_length=NOTE_CHARACTERS_MAX)
    request_id: str | None = Field(default=None, pattern=r"^[!-~]{1,100}$")


class Reassignment(Body):
    """Whom a conversation goes to; null: back to the queue."""

    to: str | None = Field(default=None, min_length=1, max_length=100)
    reason: Reason = None


class Snooze(Body):
    """Until when a conversation is put aside."""

    until: AwareDatetime
    reason: Reason = None


class Opening(Body):
    """Why private values are to be seen, or a change is rejected."""

    reason: str = Field(min_length=1, max_length=500)


class Position(Body):
    """What a person is at the desk."""

    role: Role


class Member(BaseModel):
    """A person of the desk."""

    person: str
    role: Role
    set_by: str
    set_at: AwareDatetime


class InboxEntry(BaseModel):
    """A conversation as the inbox lists it; no words of a customer."""

    conversation: str = Field(pattern=CONVERSATION_PATTERN)
    state: State
    owner: Literal["bot", "human"]
    claimed_by: str | None
    claimed_until: AwareDatetime | None
    waiting_since: AwareDatetime | None
    answer_by: AwareDatetime | None
    is_overdue: bool
    snoozed_until: AwareDatetime | None
    resolved_at: AwareDatetime | None
    desk_version: int
    last_position: int
    unread: int = Field(description="messages that no turn has taken up yet")
    ticket_id: str | None
    category: str | None
    priority: str | None
    channel: str | None


class InboxPage(BaseModel):
    """A page of the inbox."""

    entries: list[InboxEntry]
    next_after: str | None = Field(description="give it as `after` for the next page; null: this is the last")


class DeskStanding(BaseModel):
    """How a conversation stands at the desk."""

    conversation: str
    state: State
    owner: Literal["bot", "human"]
    claimed_by: str | None
    claimed_until: AwareDatetime | None
    answer_by: AwareDatetime | None
    snoozed_until: AwareDatetime | None
    desk_version: int
    last_position: int
    changed: bool = Field(default=False, description="whether the request changed something")
    withdrawn: list[int] = Field(default_factory=list, description="sequences of the bot's replies kept from leaving")


class ShownLine(BaseModel):
    """One line of a transcript, masked."""

    kind: Literal["customer", "agent", "tool", "handoff", "note"]
    speaker: str
    text: str


class HistoryEntry(BaseModel):
    """One act: who did what, from which state to which."""

    number: int
    act: str
    by: str
    from_state: State
    to_state: State
    to_person: str | None
    ticket_id: str | None
    sequence: int | None = Field(description="of the reply, when the act is one")
    reason: str | None
    note: str | None
    at: AwareDatetime


class ConversationAtDesk(BaseModel):
    """A conversation as people work on it."""

    standing: DeskStanding
    lines: list[ShownLine]
    history: list[HistoryEntry]


class ReplyReceipt(BaseModel):
    """A reply on its way."""

    reply_id: str
    sequence: int
    is_new: bool = Field(description="false: the same request was sent before, and this is what came of it")
    standing: DeskStanding


class OpenedTicketBody(BaseModel):
    """A ticket with its private values in clear. Not to be stored."""

    ticket: dict[str, Any]
    values: dict[str, str]


class Approval(BaseModel):
    """A change that waits for a person's yes."""

    approval_id: str
    conversation: str
    kind: str
    amount_usd: int = Field(description="what it costs the airline")
    policy: str = Field(description="the rule that asks")
    summary: str = Field(description="the offer as the customer read it, masked")
    requested_at: AwareDatetime
    expires_at: AwareDatetime


class DecidedApproval(BaseModel):
    """A decision on its way into the conversation."""

    approval_id: str
    conversation: str
    state: Literal["approved", "rejected"]
