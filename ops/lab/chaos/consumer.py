"""A gateway's consumer process: logs each reply, as its delivery, and acknowledges it."""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import uvloop

from ops.lab.chaos.load import STREAMS
from ops.lab.chaos.logs import Log, fact_of
from producer.collecting.subscription import AsyncSubscription
from runtime.failpoints import read_failpoint
from schema.errors import ServerUnreachable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from producer.collecting.entries import StreamEntry
    from runtime.failpoints import Failpoint
    from schema.settings.servers import ServerSettings

GROUP = "chaos"
CLAIM_IDLE_SECONDS = 0.5

START = "CHAOS_CONSUMER_START"
"""The environment variable that sets where a new group starts: `$` (the default) or `0`."""


def run_consumer(settings: ServerSettings, outbound: Path, on_ready: Callable[[], None]) -> int:
    """Collect until killed, as a consumer of its own name; entries that a dead consumer held come to this one."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_collect_all(settings, Log(outbound), on_ready))
    return 0


async def _collect_all(settings: ServerSettings, outbound: Log, on_ready: Callable[[], None]) -> None:
    failpoint = read_failpoint(os.environ)
    start = os.environ.get(START, "$")
    async with AsyncExitStack() as opened:
        subscriptions = [
            await opened.enter_async_context(
                AsyncSubscription(
                    settings, stream, GROUP, f"{os.getpid()}", start=start, claim_idle_seconds=CLAIM_IDLE_SECONDS
                )
            )
            for stream in STREAMS
        ]
        on_ready()
        async with asyncio.TaskGroup() as collecting:
            for subscription in subscriptions:
                collecting.create_task(_collect(subscription, outbound, failpoint))


async def _collect(subscription: AsyncSubscription, outbound: Log, failpoint: Failpoint) -> None:
    async for entry in subscription:
        outbound.write(by=os.getpid(), **fact_of(entry))
        failpoint("reply.handed_on")
        await _acknowledge(subscription, entry)


async def _acknowledge(subscription: AsyncSubscription, entry: StreamEntry) -> None:
    """Acknowledge an entry, however long Redis is away: otherwise it would be delivered again."""
    while True:
        try:
            return await subscription.ack(entry)
        except ServerUnreachable:
            continue
