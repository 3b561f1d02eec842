"""Read outbound streams from a named place in them, which survives restarts of the reader and of the servers.

A cursor is a consumer group of which only the position is used: what it has acknowledged. Workers keep what it lacks,
note its position in PostgreSQL, and make it anew when Redis lost it.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import structlog

from producer.collecting.entries import StreamEntry, UnreadableEntry, read_entry
from producer.gateway.problems import FieldError, Refused
from schema.channels import CHANNELS
from schema.keys import (
    ASIDE_ID,
    CURSOR_PREFIX,
    EntryId,
    again_stream,
    cursors_key,
    escalations_stream,
    events_stream,
    parse_entry_id,
    replies_stream,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from runtime.redis import Scripts

Kind = Literal["replies", "escalations", "events"]

ENTRIES_MAX = 100
"""Entries of one read."""
READ_ENTRIES_MAX = 200
"""Entries of one stream looked at for that: more than are published in a millisecond, whose order needs all of them."""

PLACE_PATTERN: Final = r"^[a-z]{1,32}:[0-9]{1,15}-[0-9]{1,15}(,[a-z]{1,32}:[0-9]{1,15}-[0-9]{1,15}){0,15}$"
"""What `write_place` writes."""
PLACE_CHARACTERS_MAX: Final = 1_000

CURSORS_MAX: Final = 100
"""Cursors of one stream, of all keys of its tenant together."""
CURSOR_IDLE_DAYS: Final = 30
"""After how long a cursor is removed that nobody reads; another reader of its stream removes it."""
_DAY_MS: Final = 86_400_000

_log = structlog.get_logger("fte.gateway")


@dataclass(frozen=True, slots=True)
class Sources:
    """The streams that one reader reads, by name: the channels of replies, or the kind itself."""

    streams: Mapping[str, str]
    group: str


def sources_of(tenant: str, kind: Kind, channel: str | None, group: str) -> Sources:
    """Return what to read for a kind of entries; `channel` narrows replies to one."""
    if kind == "replies":
        channels = CHANNELS if channel is None else (channel,)
        return Sources({name: replies_stream(tenant, name) for name in channels}, group)
    stream = escalations_stream(tenant) if kind == "escalations" else events_stream(tenant)
    return Sources({kind: stream}, group)


@dataclass(frozen=True, slots=True)
class FoundEntries:
    """Entries of one read, in the order in which they were published, each with the place to go on from after it."""

    entries: list[tuple[str, StreamEntry]]
    places: dict[str, str]
    """Where to go on from: past the last entry, also past those that this release cannot read."""
    more: bool
    """Whether there is more to read at once."""


def parse_place(text: str, sources: Sources, parameter: str) -> dict[str, str]:
    """Parse a place such as `chat:1769860800000-3,sms:0-0`, as an entry's `id` gives it; names of others are left out.

    Raises Refused naming the parameter.
    """
    if text == "":
        return {}
    if len(text) > PLACE_CHARACTERS_MAX or not re.fullmatch(PLACE_PATTERN, text):
        wrong = FieldError(parameter=parameter, detail="an id that this server gave, such as sms:1769860800000-0")
        raise Refused("invalid-request", f"{parameter}: {wrong.detail}", errors=[wrong])
    parts = (part.partition(":") for part in text.split(","))
    return {name: entry_id for name, _, entry_id in parts if name in sources.streams}


def write_place(places: Mapping[str, str]) -> str:
    """Return a place as text; the inverse of `parse_place`."""
    return ",".join(f"{name}:{entry_id}" for name, entry_id in sorted(places.items()))


class Cursors:
    """Reads and moves cursors; keeps nothing itself, so any process may serve any reader."""

    def __init__(self, scripts: Scripts) -> None:
        self._scripts = scripts

    async def read(
        self, sources: Sources, places: Mapping[str, str], *, entries_max: int = ENTRIES_MAX, begin: str = "0"
    ) -> FoundEntries:
        """Read what follows `places`, or what is acknowledged where that is further.

        A cursor that is new is made after the entry `begin`: `0` for all, `$` for none.

        Raises Refused where there is no room for a new one; RedisError or OSError.
        """
        group = sources.group
        keys = [
            key for name in sources.streams.values() for key in (name, again_stream(name, group), cursors_key(name))
        ]
        wanted = [places.get(name, "") for name in sources.streams]
        bounds: list[str | int] = [CURSOR_PREFIX, CURSORS_MAX, CURSOR_IDLE_DAYS * _DAY_MS]
        answer: Any = await self._scripts.read_cursor(
            keys=keys, args=[group, READ_ENTRIES_MAX, ASIDE_ID, begin, *bounds, *wanted]
        )
        if not answer:
            raise Refused(
                "conflict",
                f"this tenant has {CURSORS_MAX} cursors here, which is the limit; read with `cursor` naming one of "
                f"them, or wait: one that nobody reads for {CURSOR_IDLE_DAYS} days is removed",
            )
        return _merge(sources, answer, entries_max)

    async def acknowledge(self, sources: Sources, places: Mapping[str, str]) -> dict[str, str]:
        """Acknowledge everything up to `places`; return the places up to which all is acknowledged now."""
        wanted = [places.get(name, "") for name in sources.streams]
        keys = [key for name in sources.streams.values() for key in (name, again_stream(name, sources.group))]
        answer: Any = await self._scripts.advance_cursor(keys=keys, args=[sources.group, ASIDE_ID, *wanted])
        return {name: place.decode() for name, place in zip(sources.streams, answer, strict=True) if place}


@dataclass(frozen=True, slots=True)
class _Raw:
    """One entry as Redis has it."""

    name: str
    entry_id: EntryId
    text: str
    fields: dict[bytes, bytes]

    @property
    def conversation(self) -> bytes:
        return self.fields.get(b"conversation", b"")

    @property
    def sequence(self) -> int:
        number = self.fields.get(b"sequence", b"0")
        return int(number) if number.isdigit() else 0


def _merge(sources: Sources, answer: Sequence[Any], entries_max: int) -> FoundEntries:
    """Merge the entries of several streams into the order in which they were published.

    What lies behind the last entry read of a stream that has more is left for the next read: an entry of another stream
    may not overtake the earlier one of its conversation that has not been read yet.
    """
    places = {}
    streams: dict[str, list[_Raw]] = {}
    horizon: int | None = None
    for name, (after, has_more, found) in zip(sources.streams, answer, strict=True):
        places[name] = after.decode()
        streams[name] = [_raw(name, entry_id.decode(), fields) for entry_id, fields in found]
        if has_more:
            end = streams[name][-1].entry_id.milliseconds
            horizon = end if horizon is None else min(horizon, end)
    merged = list(_in_order(streams.values()))
    due = [one for one in merged if horizon is None or one.entry_id.milliseconds < horizon] or merged
    entries = []
    for one in due[:entries_max]:
        places[one.name] = one.text
        entry = _read(sources.streams[one.name], one.text.encode(), one.fields)
        if entry is not None:
            entries.append((write_place(places), entry))
    return FoundEntries(entries, places, more=horizon is not None or len(due) > entries_max)


def _in_order(streams: Iterable[list[_Raw]]) -> Iterator[_Raw]:
    """Yield the entries of all streams by their milliseconds, and within one so that each conversation keeps its order.

    Numbers within a millisecond count in one stream alone, so there a conversation's sequence decides between streams.
    """
    remaining = [deque(stream) for stream in streams if stream]
    while remaining:
        now = min(stream[0].entry_id.milliseconds for stream in remaining)
        least: dict[bytes, int] = {}
        for stream in remaining:
            for one in stream:
                if one.entry_id.milliseconds != now:
                    break
                least[one.conversation] = min(one.sequence, least.get(one.conversation, one.sequence))
        heads = [stream for stream in remaining if stream[0].entry_id.milliseconds == now]
        first = [stream for stream in heads if stream[0].sequence == least[stream[0].conversation]]
        yield (first or heads)[0].popleft()
        remaining = [stream for stream in remaining if stream]


def _raw(name: str, entry_id: str, pairs: Sequence[bytes]) -> _Raw:
    return _Raw(name, parse_entry_id(entry_id), entry_id, dict(zip(pairs[::2], pairs[1::2], strict=True)))


def _read(stream: str, entry_id: bytes, fields: dict[bytes, bytes]) -> StreamEntry | None:
    try:
        return read_entry(stream, entry_id, fields)
    except UnreadableEntry as error:
        _log.error("stream.unreadable", stream=stream, entry_id=error.entry_id, reason=error.reason)
        return None
