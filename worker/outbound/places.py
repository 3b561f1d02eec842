"""Name the outbound streams and the places in them, as the outbox does and as Redis does."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from schema import channels
from schema.keys import escalations_stream, events_stream, parse_entry_id, replies_stream

if TYPE_CHECKING:
    from runtime.database import Row

_NUMBERS_MAX = 1_000_000
"""Entries of one stream within a millisecond; more count as the last of them."""


class OutboundStream(NamedTuple):
    """Name one stream of a tenant as the outbox does, and as Redis does."""

    kind: str
    channel: str
    """'' for streams that have none."""
    name: str


def stream_named(tenant: str, kind: str, channel: str) -> OutboundStream:
    """Find a tenant's stream by what the outbox calls it; of a channel that this release does not know as well."""
    if kind == "reply":
        return OutboundStream(kind, channel, replies_stream(tenant, channel))
    return OutboundStream(kind, "", escalations_stream(tenant) if kind == "escalation" else events_stream(tenant))


def stream_of(row: Row) -> OutboundStream:
    """Find the stream that a row of PostgreSQL's notes is about."""
    return stream_named(row["tenant_id"], row["kind"], row["channel"])


def streams_of(tenant: str) -> list[OutboundStream]:
    """List a tenant's streams."""
    kinds = [*(("reply", channel) for channel in channels.CHANNELS), ("escalation", ""), ("event", "")]
    return [stream_named(tenant, *kind) for kind in kinds]


def position_of(entry_id: str) -> int:
    """Give an entry's place in its stream as one number that ascends as the ids do."""
    milliseconds, number = parse_entry_id(entry_id)
    return milliseconds * _NUMBERS_MAX + min(number, _NUMBERS_MAX - 1)


def id_of(position: int) -> str:
    """Give the entry id at a position."""
    return f"{position // _NUMBERS_MAX}-{position % _NUMBERS_MAX}"
