"""Read a tenant's outbound streams as one consumer group, and make webhook events of what they point at."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Final

from producer.collecting.subscription import AsyncSubscription
from runtime.loops import Loop, Loops
from schema.channels import CHANNELS
from schema.ids import ConversationKey
from schema.keys import escalations_stream, events_stream, replies_stream

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis.asyncio import Redis

    from producer.collecting.entries import StreamEntry
    from producer.delivery.fan_out import FanOut
    from runtime.outage import Outages
    from schema.settings.servers import ServerSettings

GROUP: Final = "fte.webhooks"
CONSUMER: Final = "deliverer"
"""The name of every process: what a dead one held comes to whichever starts next, and no names pile up.

Two that are handed the same entry do no harm: it only says which conversation to look at.
"""

ENTRIES_MAX: Final = 50
"""Entries of one stream taken up together."""

_READ_SECONDS: Final = 2.0


def streams_of(tenant: str) -> list[str]:
    """Return the streams whose entries lead to webhooks."""
    return [
        events_stream(tenant),
        escalations_stream(tenant),
        *(replies_stream(tenant, channel) for channel in CHANNELS),
    ]


class StreamReader:
    """Takes entries of one stream and acknowledges them once their conversations have been taken up."""

    def __init__(self, subscription: AsyncSubscription, tenant: str, fan_out: FanOut, wake: Callable[[], None]) -> None:
        self._subscription = subscription
        self._tenant = tenant
        self._fan_out = fan_out
        self._wake = wake
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
        """Make events of the entries' conversations, and acknowledge; return how many events were made."""
        made = 0
        for conversation in dict.fromkeys(entry.conversation for entry in self._taken):
            made += await self._fan_out.of_conversation(ConversationKey(self._tenant, conversation))
        await self._subscription.ack(*self._taken)
        self._taken = []
        if made:
            self._wake()
        return made


class Feed:
    """Reads all streams of one tenant, until it is closed."""

    def __init__(self, settings: ServerSettings, tenant: str, fan_out: FanOut, wake: Callable[[], None]) -> None:
        self._settings = settings
        self._tenant = tenant
        self._fan_out = fan_out
        self._wake = wake
        self._opened = AsyncExitStack()

    async def open(self, outages: Outages) -> None:
        """Make the groups where there are none, and begin to read."""
        async with AsyncExitStack() as opening:
            readers = []
            for stream in streams_of(self._tenant):
                subscription = AsyncSubscription(self._settings, stream, GROUP, CONSUMER)
                await opening.enter_async_context(subscription)
                readers.append(StreamReader(subscription, self._tenant, self._fan_out, self._wake))
            loops = Loops(outages)
            opening.push_async_callback(loops.stop)
            loops.start([reader.loop() for reader in readers])
            self._opened = opening.pop_all()

    async def close(self) -> None:
        """Stop reading; the groups stay, and so does what was not taken up."""
        await self._opened.aclose()


async def drop_groups(client: Redis, tenant: str) -> None:
    """Remove the groups of a tenant that has no targets any more: nothing waits for them from then on."""
    for stream in streams_of(tenant):
        if await client.exists(stream):
            await client.xgroup_destroy(stream, GROUP)
