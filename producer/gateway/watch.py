"""Wake readers of outbound streams when something new is published, with one question to Redis for all of them."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

from redis.exceptions import RedisError

from runtime.cancelling import cancel_and_wait
from runtime.outage import Outage
from runtime.server_addresses import address_of
from schema.channels import CHANNELS
from schema.keys import escalations_stream, events_stream, replies_stream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runtime.redis import Scripts
    from schema.settings.servers import ServerSettings

LOOK_SECONDS = 0.05
"""How often the newest entries are asked for, while anybody waits; half of it is what a reply loses on average."""

AWAY_SECONDS = 0.5
"""How often while Redis is away."""


class StreamWatch:
    """Watches the streams of the tenants that somebody reads; made and used on one event loop."""

    def __init__(self, scripts: Scripts, settings: ServerSettings) -> None:
        self._scripts = scripts
        self._outage = Outage("redis", address_of(settings.redis_url or ""))
        self._readers: Counter[str] = Counter()
        self._newest: dict[str, list[bytes]] = {}
        self._changes: dict[str, asyncio.Event] = {}
        self._wanted = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None

    @contextmanager
    def reading(self, tenant: str) -> Iterator[None]:
        """Watch a tenant's streams until the end of the block."""
        self._readers[tenant] += 1
        self._changes.setdefault(tenant, asyncio.Event())
        self._wanted.set()
        if self._looking is None:
            self._looking = asyncio.create_task(self._look_on())
        try:
            yield
        finally:
            self._readers[tenant] -= 1
            if not self._readers[tenant]:
                del self._readers[tenant]
                self._changes.pop(tenant, None)
                self._newest.pop(tenant, None)

    def readers_of(self, tenant: str) -> int:
        """Return how many read a tenant's streams now."""
        return self._readers[tenant]

    def change(self, tenant: str) -> asyncio.Event:
        """Return the event of the tenant's next change: take it before reading, wait for it after."""
        return self._changes[tenant]

    async def close(self) -> None:
        """Stop watching."""
        if self._looking is not None:
            await cancel_and_wait(self._looking)

    async def _look_on(self) -> None:
        while True:
            if not self._readers:
                self._wanted.clear()
                await self._wanted.wait()
            try:
                await self._look()
            except (RedisError, OSError) as error:
                self._outage.begins(error)
                await asyncio.sleep(AWAY_SECONDS)
            else:
                self._outage.ends()
                await asyncio.sleep(LOOK_SECONDS)

    async def _look(self) -> None:
        tenants = list(self._readers)
        calls = [(self._scripts.newest_entries, _streams_of(tenant), ()) for tenant in tenants]
        for tenant, newest in zip(tenants, await self._scripts.run_each(calls), strict=True):
            if isinstance(newest, Exception):
                raise newest
            if tenant in self._readers and self._newest.get(tenant) != newest:
                self._newest[tenant] = newest
                self._changes[tenant].set()
                self._changes[tenant] = asyncio.Event()


def _streams_of(tenant: str) -> list[str]:
    replies = [replies_stream(tenant, channel) for channel in CHANNELS]
    return [*replies, escalations_stream(tenant), events_stream(tenant)]
