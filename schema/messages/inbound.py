"""Inbound: a customer's message as a gateway hands it in, and the checks of one that comes in."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, ConfigDict, Field, StringConstraints, ValidationError, field_validator

from schema.channels import Channel
from schema.errors import InvalidMessage
from schema.messages.unanswered import UNANSWERED_KEY
from schema.messages.wire import SENDER_CHARACTERS_MAX, ConversationId, MessageId, TenantId, WireModel

TEXT_CHARACTERS_MAX = 20_000
SUBJECT_CHARACTERS_MAX = 500
METADATA_ENTRIES_MAX = 32
METADATA_KEY_CHARACTERS_MAX = 64
METADATA_VALUE_CHARACTERS_MAX = 1_024
INBOUND_BYTES_MAX = 256_000
"""Size of an `Inbound` as JSON; every field at its limit fits, unless most characters are control characters."""

SENDER_VERIFIED_KEY = "fte.sender_verified"
"""Metadata key by which a gateway vouches for a message's sender; only the value `"true"` opens bookings to them."""
MODEL_LATENCY_KEY = "fte.model_latency_ms"
"""Metadata key of load tests: the simulated latency of each call of an embedded model."""
RESERVED_PREFIX = "fte."
"""Prefix of metadata keys reserved for the product: GATEWAY_KEYS are for gateways, the rest for load tests."""
GATEWAY_KEYS = (SENDER_VERIFIED_KEY, UNANSWERED_KEY)

MetadataKey = Annotated[str, StringConstraints(min_length=1, max_length=METADATA_KEY_CHARACTERS_MAX)]
MetadataValue = Annotated[str, StringConstraints(max_length=METADATA_VALUE_CHARACTERS_MAX)]


class Inbound(WireModel):
    """One message of a customer, as a gateway hands it in; unknown fields are refused there."""

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
        """Return whether the gateway vouches that the message comes from its sender."""
        return self.metadata.get(SENDER_VERIFIED_KEY) == "true"

    @property
    def unanswered_because(self) -> str | None:
        """Return why the gateway wants no answer to it; None: it is to be answered."""
        return self.metadata.get(UNANSWERED_KEY)

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
    """Parse and check a message from a gateway; an `Inbound` is only checked.

    `now` is aware. Raises InvalidMessage naming the first wrong field, its value (or its size, where the value may be
    a secret) and the limit.
    """
    inbound = value if isinstance(value, Inbound) else _read_inbound(value)
    _check_sender(inbound.sender)
    check_clock(inbound, now=now, clock_skew_seconds_max=clock_skew_seconds_max, age_seconds_max=age_seconds_max)
    return inbound


def check_metadata(inbound: Inbound) -> None:
    """Raise InvalidMessage, naming the key and the way out, for metadata that is reserved for load tests."""
    for key in inbound.metadata:
        if key.startswith(RESERVED_PREFIX) and key not in GATEWAY_KEYS:
            raise InvalidMessage(
                "metadata",
                f"{key!r} is reserved",
                f"of keys that begin with {RESERVED_PREFIX!r} only {' and '.join(GATEWAY_KEYS)} are for gateways; "
                "leave it out, or set FTE_LOAD_TESTS=true for a load test, in the sender and in its workers",
            )


def encode_inbound(inbound: Inbound) -> str:
    """Encode a message as JSON to be sealed; raises InvalidMessage when it is over INBOUND_BYTES_MAX."""
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
    """Raise InvalidMessage for control characters: an address could add header lines to a reply with them.

    Checked at acceptance alone: what an earlier release accepted is still read and answered.
    """
    if any(unicodedata.category(character) == "Cc" for character in sender):
        raise InvalidMessage("sender", "a control character", LIMITS["sender"])


def check_clock(inbound: Inbound, *, now: datetime, clock_skew_seconds_max: int, age_seconds_max: int) -> None:
    """Raise InvalidMessage for a message whose `sent_at` is too far off `now`, either way."""
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
    """Return a time in UTC, or unchanged where UTC cannot hold it: before the year 1 or after 9999."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return moment


def _refusal(error: ValidationError) -> InvalidMessage:
    first = error.errors(include_url=False, include_context=False)[0]
    path = [str(part) for part in first["loc"]] or ["message"]
    limit = LIMITS.get(path[0], f"the fields are {', '.join(Inbound.model_fields)}")
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

LIMITS = {
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
