"""Read a tenant's outbound streams as one consumer group, whose entries only say which conversation to look at."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import structlog

from producer.collecting.subscription import AsyncSubscription
from runtime.loops import Loop, Loops
from schema.ids import ConversationKey

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from producer.collecting.entries import StreamEntry
    from runtime.outage import Outages
    from schema.settings.servers import ServerSettings

CONSUMER: Final = "deliverer"
"""The name of every process: what a dead one held comes to whichever starts next, and no names pile up.

Two that are handed the same entry do no harm: it only says which conversation to look at.
"""

ENTRIES_MAX: Final = 50
"""Entries of one stream taken up together."""

_READ_SECONDS: Final = 2.0

_log = structlog.get_logger("fte.delivery")


TakeUp = Callable[[ConversationKey], Awaitable[int]]
"""Takes up what is new in a conversation, in PostgreSQL; returns how much there was."""


@dataclass(frozen=True)
class Ring:
    """The group that a kind of deliverer reads as, the streams that ring for it, and what it does then."""

    group: str
    streams: Callable[[str], list[str]]
    """Of a tenant."""
    take_up: TakeUp
    wake: Callable[[], None]
    """Called when there was something to take up."""


class StreamReader:
    """Takes entries of one stream and acknowledges them once their conversations have been taken up."""

    def __init__(self, subscription: AsyncSubscription, tenant: str, ring: Ring) -> None:
        self._subscription = subscription
        self._tenant = tenant
        self._ring = ring
        self._taken: list[StreamEntry] = []

    def loop(self) -> Loop:
        """Return the loop that reads; its waiting is the reading."""
        return Loop(f"read {self._subscription.stream}", self.take_up, _READ_SECONDS, wait=self.wait)

    async def wait(self, seconds: float) -> None:
        """Wait for entries, unless those of a failed round are still to be taken up."""
        if self._taken:
            return
        entry = await self._subscription.next(seconds)
        while entry is not None:
            self._taken.append(entry)
            entry = await self._subscription.next(0) if len(self._taken) < ENTRIES_MAX else None

    async def take_up(self) -> int:
        """Take up the entries' conversations, and acknowledge; return how much there was."""
        found = 0
        for conversation in dict.fromkeys(entry.conversation for entry in self._taken):
            found += await self._ring.take_up(ConversationKey(self._tenant, conversation))
        await self._subscription.ack(*self._taken)
        self._taken = []
        if found:
            self._ring.wake()
        return found


class Feed:
    """Reads the streams of one tenant, until it is closed."""

    def __init__(self, settings: ServerSettings, tenant: str, ring: Ring) -> None:
        self._settings = settings
        self._tenant = tenant
        self._ring = ring
        self._opened = AsyncExitStack()

    async def open(self, outages: Outages) -> None:
        """Make the groups where there are none, and begin to read."""
        async with AsyncExitStack() as opening:
            readers = []
            for stream in self._ring.streams(self._tenant):
                subscription = AsyncSubscription(self._settings, stream, self._ring.group, CONSUMER)
                await opening.enter_async_context(subscription)
                readers.append(StreamReader(subscription, self._tenant, self._ring))
            loops = Loops(outages)
            opening.push_async_callback(loops.stop)
            loops.start([reader.loop() for reader in readers])
            self._opened = opening.pop_all()

    async def close(self) -> None:
        """Stop reading; the groups stay, and so does what was not taken up."""
        await self._opened.aclose()


class Feeds:
    """The feeds of the tenants that a process delivers for."""

    def __init__(self, settings: ServerSettings, redis: Redis, outages: Outages, ring: Ring) -> None:
        self._settings = settings
        self._redis = redis
        self._outages = outages
        self._ring = ring
        self._feeds: dict[str, Feed] = {}

    @property
    def tenants(self) -> list[str]:
        """Return whose streams are read."""
        return list(self._feeds)

    async def follow(self, wanted: set[str]) -> set[str]:
        """Read the streams of these tenants and of no others; return those that were left.

        Where the last receiver is gone the groups are removed: nothing waits for them from then on.
        """
        for tenant in wanted - self._feeds.keys():
            feed = Feed(self._settings, tenant, self._ring)
            await feed.open(self._outages)
            self._feeds[tenant] = feed
            _log.info("delivery.reading", tenant=tenant, group=self._ring.group)
        left = self._feeds.keys() - wanted
        for tenant in left:
            await self._feeds.pop(tenant).close()
            await drop_groups(self._redis, self._ring.streams(tenant), self._ring.group)
            _log.info("delivery.reading_ended", tenant=tenant, group=self._ring.group)
        return set(left)

    async def close(self) -> None:
        """Stop to read."""
        for feed in self._feeds.values():
            await feed.close()


async def drop_groups(client: Redis, streams: list[str], group: str) -> None:
    """Remove a group from streams: nothing waits for it from then on."""
    for stream in streams:
        if await client.exists(stream):
            await client.xgroup_destroy(stream, group)
