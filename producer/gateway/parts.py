"""Open what one gateway process works with, and close it again."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from producer.gateway.cursors import Cursors
from producer.gateway.limits import Limits
from producer.gateway.mail_intake import MailIntake
from producer.gateway.sms_arrivals import SmsArrivals
from producer.gateway.watch import StreamWatch
from producer.sending.client import AsyncProducer
from runtime.api_keys import ApiKeys
from runtime.channel_accounts import ChannelAccounts
from runtime.configuration import open_sealer, settings_for_http
from runtime.connecting import open_fenced_database
from runtime.database import Database
from runtime.failpoints import Failpoint, no_failpoint
from runtime.redis import Scripts, make_redis
from runtime.sealing import Sealer
from runtime.tenants import Tenants

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from runtime.api_keys import Principal
    from schema.settings.gateway import GatewaySettings


BODIES_MAX: Final = 2
"""Requests with a mail whose bodies a process holds at once, since they may be large; more are asked to come again."""


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
    accounts: ChannelAccounts
    mail: MailIntake
    texts: SmsArrivals
    mail_bodies: asyncio.Semaphore
    """Held by a request while it has a mail's bytes in memory."""
    limits: Limits
    cursors: Cursors
    watch: StreamWatch
    sealer: Sealer
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the process is told to stop: streams end, and it is ready no more."""


@asynccontextmanager
async def open_parts(settings: GatewaySettings, *, failpoint: Failpoint = no_failpoint) -> AsyncIterator[Parts]:
    """Connect to the servers and open every part.

    Raises what `AsyncProducer` raises; ServerUnfit where the login could see more than one tenant at a time.
    """
    settings = settings_for_http(settings)
    async with AsyncExitStack() as opening:
        database = await open_fenced_database(settings, opening)
        client = make_redis(settings)
        opening.push_async_callback(client.aclose)
        scripts = Scripts(client)
        sealer = open_sealer(settings)
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
            accounts=ChannelAccounts(database, sealer),
            mail=MailIntake(database, producer, sealer, settings),
            texts=SmsArrivals(database, producer, sealer, settings),
            mail_bodies=asyncio.Semaphore(BODIES_MAX),
            limits=limits,
            cursors=Cursors(scripts),
            watch=watch,
            sealer=open_sealer(settings),
        )
