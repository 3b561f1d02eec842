"""Define what crosses between processes: inbound messages, envelopes, receipts, replies, escalations, events.

Every model is frozen, carries a version and has a limit on every size. The exported JSON Schema
stands in `schema/json/`.
"""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator

from schema.channels import Channel
from schema.errors import InvalidMessage
from schema.ids import CONVERSATION_PATTERN, MESSAGE_ID_PATTERN, TENANT_PATTERN

TEXT_CHARACTERS_MAX = 20_000
SUBJECT_CHARACTERS_MAX = 500
SENDER_CHARACTERS_MAX = 320  # the longest e-mail address: 64 + 1 + 255, RFC 5321, 4.5.3.1
METADATA_ENTRIES_MAX = 32
METADATA_KEY_CHARACTERS_MAX = 64
METADATA_VALUE_CHARACTERS_MAX = 1_024
SUMMARY_CHARACTERS_MAX = 4_000
REPLY_CHARACTERS_MAX = 40_000
IN_REPLY_TO_MAX = 100
INBOUND_BYTES_MAX = 256_000
"""An `Inbound` as JSON; every field at its limit fits, unless most of its characters are control characters."""
PAYLOAD_CHARACTERS_MAX = 400_000
"""A sealed `Inbound`: 4/3 of its bytes, and 100 more."""

VERSION = 1
"""The version that this release writes, and the newest that it reads."""
VERSION_MAX = 1_000
"""Above it nothing is a version: it is garbage."""

BRIEFING_ENTRIES_MAX = 20
BRIEFING_CHARACTERS_MAX = 200
SENDER_VERIFIED_KEY = "fte.sender_verified"
"""Metadata by which a gateway vouches for a message's sender: `"true"`, and nothing else, opens bookings to it."""
MODEL_LATENCY_KEY = "fte.model_latency_ms"
"""Metadata of load tests: how long the embedded models shall take for each call, as a real one would."""
RESERVED_PREFIX = "fte."
"""What begins like this is the product's own: SENDER_VERIFIED_KEY is for gateways, the rest for load tests alone."""

IssueType = Literal["faq", "booking", "complaint", "escalation", "off_topic"]
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
    "model.degraded",
    "model.recovered",
    "spend.warning",
    "spend.exhausted",
]

TenantId = Annotated[str, StringConstraints(pattern=TENANT_PATTERN)]
ConversationId = Annotated[str, StringConstraints(pattern=CONVERSATION_PATTERN)]
MessageId = Annotated[str, StringConstraints(pattern=MESSAGE_ID_PATTERN)]
MetadataKey = Annotated[str, StringConstraints(min_length=1, max_length=METADATA_KEY_CHARACTERS_MAX)]
MetadataValue = Annotated[str, StringConstraints(max_length=METADATA_VALUE_CHARACTERS_MAX)]


class WireModel(BaseModel):
    """Hold the rules of everything on the wire.

    A reader passes over fields it does not know: workers and gateways of two releases run side by side, and the newer
    one may say more. `version` changes only for what an older reader must not read; it leaves that to a newer one.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    version: Literal[1] = 1


class Inbound(WireModel):
    """Carry one message of a customer, as a gateway hands it in; a field it should not have is refused there."""

    model_config = ConfigDict(extra="forbid")

    message_id: MessageId = Field(description="the gateway's id of the message; the same id is answered once")
    tenant: TenantId
    conversation: ConversationId
    channel: Channel
    sender: str = Field(min_length=1, max_length=SENDER_CHARACTERS_MAX, description="the customer's address there")
    text: str = Field(min_length=1, max_length=TEXT_CHARACTERS_MAX)
    subject: str | None = Field(default=None, max_length=SUBJECT_CHARACTERS_MAX)
    sent_at: AwareDatetime | None = Field(default=None, description="RFC 3339, with an offset")
    metadata: dict[MetadataKey, MetadataValue] = Field(default_factory=dict, max_length=METADATA_ENTRIES_MAX)

    @property
    def sender_is_verified(self) -> bool:
        """Say whether the gateway vouches that the message comes from its sender."""
        return self.metadata.get(SENDER_VERIFIED_KEY) == "true"

    @field_validator("text", "sender", "subject")
    @classmethod
    def _is_unicode(cls, value: str | None) -> str | None:
        if value is not None:
            value.encode()  # a lone surrogate raises UnicodeEncodeError, a ValueError
        return value

    @field_validator("text")
    @classmethod
    def _is_not_blank(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("only white space")
        return value


class Envelope(WireModel):
    """Carry a sealed inbound message through a mailbox; the key to open it is not in Redis.

    `position` and `message_id` stand in every version: by them scripts find its place, and older readers the message.
    """

    position: int = Field(ge=1, description="1, 2, 3 … within the conversation, in the order accepted")
    message_id: MessageId
    payload: str = Field(max_length=PAYLOAD_CHARACTERS_MAX, description="an `Inbound` as JSON, sealed")


def encode_envelope(envelope: Envelope) -> str:
    """Write an envelope as it stands in a mailbox: equal envelopes are equal text."""
    return envelope.model_dump_json()


class Receipt(WireModel):
    """Confirm that a message is accepted: it ends answered, or parked where people see it."""

    status: Literal["accepted", "duplicate"]
    message_id: MessageId
    tenant: TenantId
    conversation: ConversationId
    position: int = Field(ge=1, description="1, 2, 3 … within the conversation")


class Reply(WireModel):
    """Carry the answer to one or several messages out to the customer's channel."""

    reply_id: str = Field(max_length=64)
    tenant: TenantId
    conversation: ConversationId
    sequence: int = Field(ge=1, description="1, 2, 3 … within the conversation")
    in_reply_to: list[MessageId] = Field(min_length=1, max_length=IN_REPLY_TO_MAX)
    channel: Channel
    recipient: str = Field(max_length=SENDER_CHARACTERS_MAX)
    text: str = Field(min_length=1, max_length=REPLY_CHARACTERS_MAX)
    agent: str = Field(max_length=64)
    issue_type: IssueType | None
    trace_id: str = Field(max_length=64)
    created_at: AwareDatetime


BriefingText = Annotated[str, StringConstraints(max_length=BRIEFING_CHARACTERS_MAX)]
BriefingList = Annotated[list[BriefingText], Field(max_length=BRIEFING_ENTRIES_MAX)]


class TranscriptReference(BaseModel):
    """Say where the words of a conversation stand: `fte show CONVERSATION`, its messages by position."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    conversation: ConversationId
    first_position: int = Field(ge=1)
    last_position: int = Field(ge=1, description="of the message that led to the escalation")


class Briefing(BaseModel):
    """Tell a human agent what the bot knew and did; masked: placeholders instead of secrets."""

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
    """Hand a conversation to the human support agents."""

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


class Event(WireModel):
    """Tell operators and dashboards what happened in a conversation; holds no text of the customer."""

    event_id: str = Field(max_length=64)
    tenant: TenantId
    conversation: ConversationId
    name: EventName
    attributes: dict[str, str] = Field(default_factory=dict, max_length=16)
    trace_id: str = Field(max_length=64)
    created_at: AwareDatetime


def newer_version_in(error: ValidationError) -> int | None:
    """Give the version of what could not be read, when it is one that only a newer release reads."""
    for detail in error.errors(include_url=False, include_context=False):
        found = detail["input"]
        if detail["loc"] == ("version",) and type(found) is int and VERSION < found <= VERSION_MAX:
            return found
    return None


WIRE_MODELS: tuple[type[WireModel], ...] = (Inbound, Envelope, Receipt, Reply, Escalation, Event)
"""Every model whose JSON Schema is exported."""

# Fields whose value an error message may show; the others may hold a secret, so only their size is shown.
_SHOWN_FIELDS = {"message_id", "tenant", "conversation", "channel", "sent_at", "version"}
_SHOWN_CHARACTERS_MAX = 80


def parse_inbound(
    value: Inbound | bytes | str | dict[str, Any],
    *,
    now: datetime,
    clock_skew_seconds_max: int,
    age_seconds_max: int,
) -> Inbound:
    """Read and check a message that a gateway hands in; one that is read already is checked against the clock.

    `now` is aware. Raises InvalidMessage naming the first wrong field, its value (or its size, where the value may be
    a secret) and the limit.
    """
    inbound = value if isinstance(value, Inbound) else _read_inbound(value)
    _check_sender(inbound.sender)
    check_clock(inbound, now=now, clock_skew_seconds_max=clock_skew_seconds_max, age_seconds_max=age_seconds_max)
    return inbound


def check_metadata(inbound: Inbound) -> None:
    """Refuse metadata that is reserved for load tests; raises InvalidMessage naming the key and the way out."""
    for key in inbound.metadata:
        if key.startswith(RESERVED_PREFIX) and key != SENDER_VERIFIED_KEY:
            raise InvalidMessage(
                "metadata",
                f"{key!r} is reserved",
                f"of keys that begin with {RESERVED_PREFIX!r} only {SENDER_VERIFIED_KEY} is for gateways; leave it "
                "out, or set FTE_LOAD_TESTS=true for a load test, in the sender and in its workers",
            )


def encode_inbound(inbound: Inbound) -> str:
    """Write a message as it is sealed; raises InvalidMessage when it is over INBOUND_BYTES_MAX."""
    encoded = inbound.model_dump_json()
    _check_size(encoded)
    return encoded


def _read_inbound(value: bytes | str | dict[str, Any]) -> Inbound:
    try:
        if isinstance(value, dict):
            return Inbound.model_validate(value)
        _check_size(value)
        return Inbound.model_validate_json(value)
    except ValidationError as error:
        raise _refusal(error) from None
    except UnicodeEncodeError:
        raise InvalidMessage("message", "not valid Unicode", "JSON in UTF-8") from None


def _check_size(encoded: bytes | str) -> None:
    size = len(encoded if isinstance(encoded, bytes) else encoded.encode())
    if size > INBOUND_BYTES_MAX:
        raise InvalidMessage("message", f"{size} bytes of JSON", f"at most {INBOUND_BYTES_MAX}")


def _check_sender(sender: str) -> None:
    """Refuse control characters, with which an address would add header lines to a reply.

    Only here, where messages come in: what an earlier release accepted is still read and answered.
    """
    if any(unicodedata.category(character) == "Cc" for character in sender):
        raise InvalidMessage("sender", "a control character", _LIMITS["sender"])


def check_clock(inbound: Inbound, *, now: datetime, clock_skew_seconds_max: int, age_seconds_max: int) -> None:
    """Refuse a message whose `sent_at` is too far off `now`, either way; raises InvalidMessage."""
    if inbound.sent_at is None:
        return
    age_seconds = (now - inbound.sent_at).total_seconds()
    shown = _in_utc(inbound.sent_at).isoformat()
    if age_seconds < -clock_skew_seconds_max:
        raise InvalidMessage(
            "sent_at",
            f"{shown} is {-age_seconds:.0f} s in the future",
            f"at most {clock_skew_seconds_max} s (FTE_CLOCK_SKEW_SECONDS_MAX); set the gateway's clock",
        )
    if age_seconds > age_seconds_max:
        raise InvalidMessage(
            "sent_at",
            f"{shown} is {age_seconds:.0f} s ago",
            f"at most {age_seconds_max} s (FTE_MESSAGE_AGE_SECONDS_MAX)",
        )


def _in_utc(moment: datetime) -> datetime:
    """Give a time in UTC, or as it is where UTC has none for it: before the year 1 or after 9999."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return moment


def _refusal(error: ValidationError) -> InvalidMessage:
    first = error.errors(include_url=False, include_context=False)[0]
    path = [str(part) for part in first["loc"]] or ["message"]
    limit = _LIMITS.get(path[0], f"the fields are {', '.join(Inbound.model_fields)}")
    return InvalidMessage(".".join(path)[:_SHOWN_CHARACTERS_MAX], _show(first["type"], path[0], first["input"]), limit)


def _show(problem: str, field: str, value: object) -> str:
    if problem in _PROBLEMS:
        return _PROBLEMS[problem]
    if field in _SHOWN_FIELDS:
        return f"{str(value)[:_SHOWN_CHARACTERS_MAX]!r} ({len(str(value))} characters)"
    if isinstance(value, str):
        return f"{len(value)} characters" + (" of white space" if value and not value.strip() else "")
    return type(value).__name__ + (f" of {len(value)}" if isinstance(value, dict | list) else "")


_PROBLEMS = {
    "missing": "missing",
    "extra_forbidden": "unknown field",
    "json_invalid": "not JSON",
    "string_unicode": "not valid Unicode",
}

_LIMITS = {
    "message_id": "1 to 256 visible ASCII characters",
    "tenant": "1 to 63 of A-Z a-z 0-9 _ -, starting with a letter or digit",
    "conversation": "1 to 128 of A-Z a-z 0-9 . _ ~ = + @ -, starting with a letter, a digit or +",
    "channel": "one of email, sms, chat",
    "sender": f"1 to {SENDER_CHARACTERS_MAX} characters of valid Unicode, no control characters",
    "text": f"1 to {TEXT_CHARACTERS_MAX} characters of valid Unicode, not only white space",
    "subject": f"at most {SUBJECT_CHARACTERS_MAX} characters of valid Unicode",
    "sent_at": "a time in RFC 3339 with an offset, such as 2026-01-31T12:00:00Z",
    "metadata": (
        f"at most {METADATA_ENTRIES_MAX} entries, keys of 1 to {METADATA_KEY_CHARACTERS_MAX} and values of at most "
        f"{METADATA_VALUE_CHARACTERS_MAX} characters"
    ),
    "version": "1",
}
