"""Read the outbound streams as an operator: their ends, their past, and new entries."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from heapq import merge
from typing import TYPE_CHECKING, Any

import structlog

from producer.collecting.entries import StreamEntry, UnreadableEntry, read_entry
from producer.collecting.following import AsyncFollower
from runtime.cancelling import cancel_and_wait
from runtime.redis import check_redis, make_redis
from schema.keys import EntryId, parse_entry_id

if TYPE_CHECKING:
    from schema.settings.servers import ServerSettings

_log = structlog.get_logger("fte.streams")

PAGE_ENTRIES = 200
"""Entries read in one round trip."""


START = "0-0"
"""Before the first entry of any stream."""


@asynccontextmanager
async def open_redis(settings: ServerSettings) -> AsyncIterator[Any]:
    """Open a Redis client for the length of a block; raises ServerUnreachable.

    Any: the client's stubs mix the answers of both protocols, with and without decoding.
    """
    client = make_redis(settings)
    try:
        await check_redis(client, settings)
        yield client
    finally:
        await client.aclose()


@asynccontextmanager
async def listening(
    settings: ServerSettings, streams: Sequence[str], take: Callable[[StreamEntry], Awaitable[None]]
) -> AsyncIterator[None]:
    """Call `take` with every entry that comes into the streams, until the end of the block.

    Starts before the block does, so nothing sent within it is missed. An error of the listener ends the block.
    """

    async def listen(follower: AsyncFollower) -> None:
        async for entry in follower:
            await take(entry)

    async with AsyncFollower(settings, streams) as follower, asyncio.TaskGroup() as group:
        listener = group.create_task(listen(follower))
        try:
            yield
        finally:
            await cancel_and_wait(listener)


async def read_ends(client: Any, streams: Sequence[str]) -> dict[str, str]:
    """Return the id of each stream's newest entry, or START."""
    ends = {}
    for stream in streams:
        newest = await client.xrevrange(stream, count=1)
        ends[stream] = newest[0][0].decode() if newest else START
    return ends


async def read_all(client: Any, ends: dict[str, str]) -> AsyncIterator[StreamEntry]:
    """Yield every entry up to the streams' ends, the oldest of all streams first; holds a page of each in memory."""
    readers = [_read_forward(client, stream, end) for stream, end in ends.items()]
    heads = {reader: await anext(reader, None) for reader in readers}
    while waiting := {reader: head for reader, head in heads.items() if head is not None}:
        oldest = min(waiting, key=lambda reader: _age(waiting[reader]))
        yield waiting[oldest]
        heads[oldest] = await anext(oldest, None)


async def read_newest(
    client: Any, ends: dict[str, str], last: int, is_wanted: Callable[[StreamEntry], bool]
) -> list[StreamEntry]:
    """Return the newest `last` entries that `is_wanted` accepts, up to the streams' ends, oldest first."""
    found = [await _read_back(client, stream, end, last, is_wanted) for stream, end in ends.items()]
    newest = list(merge(*found, key=_age))
    return newest[max(0, len(newest) - last) :]


async def _read_forward(client: Any, stream: str, end: str) -> AsyncIterator[StreamEntry]:
    start = "-"
    while page := await client.xrange(stream, start, end, count=PAGE_ENTRIES):
        for entry in _readable(stream, page):
            yield entry
        start = f"({page[-1][0].decode()}"


async def _read_back(
    client: Any, stream: str, end: str, last: int, is_wanted: Callable[[StreamEntry], bool]
) -> list[StreamEntry]:
    """Read backwards until `last` entries are found; return them oldest first."""
    found: list[StreamEntry] = []
    upto = end
    while len(found) < last and (page := await client.xrevrange(stream, upto, "-", count=PAGE_ENTRIES)):
        found += [entry for entry in _readable(stream, page) if is_wanted(entry)]
        upto = f"({page[-1][0].decode()}"
    return found[:last][::-1]


def _readable(stream: str, page: Sequence[tuple[bytes, Any]]) -> Iterator[StreamEntry]:
    """Yield a page's entries; one that cannot be read is logged and skipped."""
    for entry_id, fields in page:
        try:
            yield read_entry(stream, entry_id, fields)
        except UnreadableEntry as error:
            _log.error("stream.unreadable", stream=stream, entry_id=error.entry_id, reason=error.reason)


def _age(entry: StreamEntry) -> EntryId:
    """Return the sort key of an entry among several streams: its id, which holds Redis's clock."""
    return parse_entry_id(entry.entry_id)
