"""Open what one gateway process works with, and close it again."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from producer.gateway.cursors import Cursors
from producer.gateway.limits import Limits
from producer.gateway.watch import StreamWatch
from producer.sending.client import AsyncProducer
from runtime.api_keys import ApiKeys
from runtime.configuration import settings_for_http
from runtime.database import Database
from runtime.failpoints import Failpoint, no_failpoint
from runtime.redis import Scripts, make_redis
from runtime.startup import check_fence
from runtime.tenants import Tenants

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from runtime.api_keys import Principal
    from schema.settings.gateway import GatewaySettings


class Keys(Protocol):
    """What verifies API keys: `runtime.api_keys.ApiKeys`."""

    async def verify(self, presented: str, address: str) -> Principal:
        """Return whom a key speaks for; raises KeyRefused or AddressSlowed."""


@dataclass(slots=True)
class Parts:
    """The opened parts of one gateway process."""

    settings: GatewaySettings
    database: Database
    scripts: Scripts
    producer: AsyncProducer
    keys: Keys
    tenants: Tenants
    limits: Limits
    cursors: Cursors
    watch: StreamWatch
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the process is told to stop: streams end, and it is ready no more."""


@asynccontextmanager
async def open_parts(settings: GatewaySettings, *, failpoint: Failpoint = no_failpoint) -> AsyncIterator[Parts]:
    """Connect to the servers and open every part.

    Raises what `AsyncProducer` raises; ServerUnfit where the login could see more than one tenant at a time.
    """
    settings = settings_for_http(settings)
    async with AsyncExitStack() as opening:
        database = Database(settings)
        await database.open()
        opening.push_async_callback(database.close)
        check_fence(database)
        client = make_redis(settings)
        opening.push_async_callback(client.aclose)
        scripts = Scripts(client)
        producer = await opening.enter_async_context(AsyncProducer(settings, failpoint=failpoint, database=database))
        limits = Limits(scripts, settings)
        opening.push_async_callback(limits.close)
        watch = StreamWatch(scripts, settings)
        opening.push_async_callback(watch.close)
        yield Parts(
            settings=settings,
            database=database,
            scripts=scripts,
            producer=producer,
            keys=ApiKeys(database),
            tenants=Tenants(database),
            limits=limits,
            cursors=Cursors(scripts),
            watch=watch,
        )
