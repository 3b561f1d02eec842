"""Base class, ids and shared literals of all messages between processes, and how a version is read."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from schema.ids import CONVERSATION_PATTERN, MESSAGE_ID_PATTERN, TENANT_PATTERN

SENDER_CHARACTERS_MAX = 320  # the longest e-mail address: 64 + 1 + 255, RFC 5321, 4.5.3.1

VERSION = 1
"""The version that this release writes, and the newest that it reads."""
VERSION_MAX = 1_000
"""Highest number that is taken for a version; above it is garbage."""

TenantId = Annotated[str, StringConstraints(pattern=TENANT_PATTERN)]
ConversationId = Annotated[str, StringConstraints(pattern=CONVERSATION_PATTERN)]
MessageId = Annotated[str, StringConstraints(pattern=MESSAGE_ID_PATTERN)]

IssueType = Literal["faq", "booking", "complaint", "escalation", "off_topic"]


class WireModel(BaseModel):
    """Base class of every message between processes.

    A reader ignores unknown fields: workers and gateways of two releases run side by side, and the newer one may write
    more. `version` changes only for what an older reader must not read; it leaves that to a newer one.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    version: Literal[1] = 1


def newer_version_in(error: ValidationError) -> int | None:
    """Return the version of a message that failed to parse, when only a newer release reads it; else None."""
    for detail in error.errors(include_url=False, include_context=False):
        found = detail["input"]
        if detail["loc"] == ("version",) and type(found) is int and VERSION < found <= VERSION_MAX:
            return found
    return None
