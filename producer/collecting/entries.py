"""Parse the entries of outbound streams: replies, escalations, events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import ValidationError

from schema.errors import FteError
from schema.messages.escalation import Escalation
from schema.messages.event import Event
from schema.messages.reply import Reply
from schema.messages.wire import VERSION, newer_version_in

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class StreamEntry:
    """One entry of an outbound stream."""

    stream: str
    entry_id: str
    """Redis's id of the entry: milliseconds and a number, ascending within its stream."""
    id: str
    """The id of the reply, ticket or event in it; the same for whatever is published twice."""
    conversation: str
    sequence: int
    """A reply's number within its conversation, 1, 2, 3 …; of others, that of the newest reply before them."""
    body: Reply | Escalation | Event


class UnreadableEntry(FteError):
    """An entry that this release cannot read: damaged, or written by another release."""

    def __init__(self, stream: str, entry_id: str, reason: str) -> None:
        super().__init__(f"entry {entry_id} of {stream} cannot be read: {reason}")
        self.stream = stream
        self.entry_id = entry_id
        self.reason = reason


def read_entry(stream: str, entry_id: bytes, fields: Mapping[bytes, bytes]) -> StreamEntry:
    """Parse one entry as Redis returns it; the stream's name decides which model it is.

    Raises UnreadableEntry, which names fields but never shows their values.
    """
    try:
        return StreamEntry(
            stream,
            entry_id.decode(),
            fields[b"id"].decode(),
            fields[b"conversation"].decode(),
            int(fields[b"sequence"]),
            _model_of(stream).model_validate_json(fields[b"body"]),
        )
    except KeyError as error:
        raise UnreadableEntry(stream, entry_id.decode(), f"no field {error}") from None
    except ValidationError as error:
        raise UnreadableEntry(stream, entry_id.decode(), _reason_of(error)) from None
    except ValueError as error:
        raise UnreadableEntry(stream, entry_id.decode(), type(error).__name__) from None


def _reason_of(error: ValidationError) -> str:
    version = newer_version_in(error)
    if version is not None:
        return f"version {version}, and this release reads up to {VERSION}: read it with the release that wrote it"
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    return f"body.{'.'.join(str(part) for part in first['loc'])}: {first['type']}"


def _model_of(stream: str) -> type[Reply | Escalation | Event]:
    """Return the model of a stream's entries; `schema.keys` has the names of streams."""
    _, _, kind = stream.partition("}:")
    if kind.startswith("replies:"):
        return Reply
    if kind.split(":")[0] == "escalations":
        return Escalation
    if kind.split(":")[0] == "events":
        return Event
    raise ValueError(f"not an outbound stream: {stream}")
