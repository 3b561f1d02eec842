"""Names of the outbound streams and positions in them, in the outbox and in Redis."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from schema import channels
from schema.keys import again_stream, escalations_stream, events_stream, parse_entry_id, replies_stream

if TYPE_CHECKING:
    from collections.abc import Iterable

    from runtime.database import Row

_NUMBERS_MAX = 1_000_000
"""Entries of one stream within a millisecond; more count as the last of them."""


class OutboundStream(NamedTuple):
    """One stream of a tenant: its kind and channel in the outbox, its name in Redis."""

    kind: str
    channel: str
    """'' for streams that have none."""
    name: str


def stream_named(tenant: str, kind: str, channel: str) -> OutboundStream:
    """Return a tenant's stream by kind and channel of the outbox; this release need not know the channel."""
    if kind == "reply":
        return OutboundStream(kind, channel, replies_stream(tenant, channel))
    return OutboundStream(kind, "", escalations_stream(tenant) if kind == "escalation" else events_stream(tenant))


def stream_of(row: Row) -> OutboundStream:
    """Return the stream that a row of PostgreSQL's notes is about."""
    return stream_named(row["tenant_id"], row["kind"], row["channel"])


def streams_of(tenant: str) -> list[OutboundStream]:
    """List a tenant's streams."""
    kinds = [*(("reply", channel) for channel in channels.CHANNELS), ("escalation", ""), ("event", "")]
    return [stream_named(tenant, *kind) for kind in kinds]


def names_with_aside(tenant: str, groups: Iterable[Row]) -> list[str]:
    """List a tenant's streams by name, with those of groups that are set aside; `groups` are rows of `find_groups`."""
    aside = [row for row in groups if row["is_aside"] and row["tenant_id"] == tenant]
    again = [again_stream(stream_of(row).name, row["name"]) for row in aside]
    return [*(stream.name for stream in streams_of(tenant)), *again]


def position_of(entry_id: str) -> int:
    """Return an entry's place in its stream as one number that ascends as the ids do."""
    milliseconds, number = parse_entry_id(entry_id)
    return milliseconds * _NUMBERS_MAX + min(number, _NUMBERS_MAX - 1)


def id_of(position: int) -> str:
    """Return the entry id at a position."""
    return f"{position // _NUMBERS_MAX}-{position % _NUMBERS_MAX}"
