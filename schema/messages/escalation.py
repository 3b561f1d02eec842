"""Escalation: a conversation handed to the human support agents, with its briefing."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from schema.channels import Channel
from schema.messages.wire import ConversationId, IssueType, TenantId, WireModel

SUMMARY_CHARACTERS_MAX = 4_000
BRIEFING_ENTRIES_MAX = 20
BRIEFING_CHARACTERS_MAX = 200

Priority = Literal["normal", "high", "urgent"]
Sentiment = Literal["calm", "upset", "angry", "abusive"]
EscalationCategory = Literal[
    "customer_request",
    "missing_knowledge",
    "unsupported_request",
    "policy_restriction",
    "tool_failure",
    "pending_clarification",
    "usage_limit",
    "abuse",
    "emergency",
    "system_error",
]

BriefingText = Annotated[str, StringConstraints(max_length=BRIEFING_CHARACTERS_MAX)]
BriefingList = Annotated[list[BriefingText], Field(max_length=BRIEFING_ENTRIES_MAX)]


class TranscriptReference(BaseModel):
    """Where the words of a conversation stand: `fte show CONVERSATION`, its messages by position."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    conversation: ConversationId
    first_position: int = Field(ge=1)
    last_position: int = Field(ge=1, description="of the message that led to the escalation")


class Briefing(BaseModel):
    """What the bot knew and did, for a human agent; masked: placeholders instead of secrets."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    channel: Channel
    facts: dict[str, BriefingText] = Field(
        default_factory=dict,
        max_length=BRIEFING_ENTRIES_MAX,
        description="what is known, by name; the fields of the same names go a release later",
    )
    passenger_name: BriefingText | None = None
    verified: bool = Field(default=False, description="whether the customer proved to be the passenger")
    confirmation_number: BriefingText | None = Field(default=None, description="a placeholder")
    flight_number: BriefingText | None = None
    flight_date: BriefingText | None = None
    seat_number: BriefingText | None = None
    issue_type: IssueType | None = None
    changes_made: BriefingList = Field(default_factory=list, description="what the bot changed in the booking")
    tried: BriefingList = Field(default_factory=list, description="the tools it called, each once, the newest last")
    refused: BriefingList = Field(default_factory=list, description="the refusals it met, as codes")
    verdicts: BriefingList = Field(default_factory=list, description="guardrails that tripped on this message")
    sentiment: Sentiment | None = Field(default=None, description="of the customer's newest message")


class Escalation(WireModel):
    """A conversation handed to the human support agents."""

    ticket_id: str = Field(max_length=32)
    tenant: TenantId
    conversation: ConversationId
    category: EscalationCategory
    reason: str = Field(max_length=1_000)
    summary: str = Field(max_length=SUMMARY_CHARACTERS_MAX, description="masked: placeholders instead of secrets")
    priority: Priority
    answer_by: AwareDatetime
    trace_id: str = Field(max_length=64)
    created_at: AwareDatetime
    transcript: TranscriptReference | None = Field(default=None, description="absent in entries of earlier releases")
    briefing: Briefing | None = Field(default=None, description="absent in entries of earlier releases")
