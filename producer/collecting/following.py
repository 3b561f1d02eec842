"""Read outbound streams without a consumer group: every follower sees every entry and takes none from anybody."""

from __future__ import annotations

from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING, Any, Self

import structlog

from producer.collecting.entries import StreamEntry, UnreadableEntry, read_entry
from producer.collecting.redis_retry import RedisRetry
from runtime.redis import make_redis

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from types import TracebackType

    from schema.settings.servers import ServerSettings

BLOCK_SECONDS = 2.0
"""How long one read waits for entries: less than the socket's time-out, by which a dead server is noticed."""

READ_ENTRIES_MAX = 200
"""Entries of one stream in one read."""

_log = structlog.get_logger("fte.streams")


class AsyncFollower:
    """Reads several streams at once, oldest entries first within each; survives restarts of Redis."""

    def __init__(self, settings: ServerSettings, streams: Sequence[str], *, from_id: str = "$") -> None:
        """Take the streams' names (`schema.keys`) and the entry id to start after: `0` for all, `$` for new ones."""
        self._client: Any = make_redis(settings)  # its stubs mix the answers of both protocols
        self._retry = RedisRetry(settings)
        self._from_id = from_id
        self._positions = dict.fromkeys(streams, from_id)

    async def __aenter__(self) -> Self:
        """Fix where each stream starts, so that nothing published from now on is missed."""
        async with AsyncExitStack() as opening:
            opening.push_async_callback(self._client.aclose)
            for stream in self._positions if self._from_id == "$" else ():
                newest = await self._retry.persist(partial(self._client.xrevrange, stream, count=1))
                self._positions[stream] = newest[0][0].decode() if newest else "0-0"
            opening.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Disconnect."""
        await self._client.aclose()

    async def __aiter__(self) -> AsyncIterator[StreamEntry]:
        """Yield entries as they come, without end."""
        while True:
            for entry in await self.read(BLOCK_SECONDS):
                yield entry

    async def read(self, block_seconds: float = BLOCK_SECONDS) -> list[StreamEntry]:
        """Return new entries; an empty list after `block_seconds` (at most BLOCK_SECONDS) without any."""
        block = max(1, round(min(block_seconds, BLOCK_SECONDS) * 1_000))
        read = partial(self._client.xread, self._positions, count=READ_ENTRIES_MAX, block=block)
        answer = await self._retry.persist(read)
        entries = []
        for name, found in answer or []:
            stream = name.decode()
            self._positions[stream] = found[-1][0].decode()
            for entry_id, fields in found:
                try:
                    entries.append(read_entry(stream, entry_id, fields))
                except UnreadableEntry as error:
                    _log.error("stream.unreadable", stream=stream, entry_id=error.entry_id, reason=error.reason)
        return entries
