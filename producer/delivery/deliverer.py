"""Compose the process that delivers webhooks: `fte deliver webhooks`."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import structlog

from producer.delivery.deliveries import Deliveries, DeliveryParts
from producer.delivery.fan_out import FanOut
from producer.delivery.feed import Feed, drop_groups
from producer.delivery.sending import open_sender
from runtime.configuration import open_sealer
from runtime.connecting import open_servers
from runtime.database import EVERY_TENANT, Database
from runtime.loops import Loop, Loops
from runtime.outage import Outages
from runtime.startup import check_deployment
from schema.ids import ConversationKey

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from redis.asyncio import Redis

    from schema.settings.webhooks import DeliverySettings

TENANTS_SECONDS: Final = 2.0
"""How often to look which tenants have targets."""

SWEEP_SECONDS: Final = 5.0
"""How often to look for what no stream's entry pointed at: ended episodes, and entries that were lost."""

REMOVE_SECONDS: Final = 60.0
CLAIM_SECONDS: Final = 0.5

_FIRST_LOOK_SECONDS: Final = 30 * 86_400.0
"""How far back the first look of a process goes; never before a tenant's first target was added."""
_LOOK_SECONDS: Final = 900.0
_CONVERSATIONS_MAX: Final = 500
_ROWS_REMOVED_MAX: Final = 2_000

_log = structlog.get_logger("fte.webhooks")


@dataclass
class Deliverer:
    """Makes events for the tenants that have targets, and sends them; several processes share the work."""

    settings: DeliverySettings
    database: Database
    redis: Redis
    fan_out: FanOut
    deliveries: Deliveries
    loops: Loops
    feeds: dict[str, Feed] = field(default_factory=dict)
    _looked: set[str] = field(default_factory=set)

    def start(self) -> None:
        """Start to read, to make events and to send."""
        postgresql = self.loops.outages.postgresql
        self.loops.start(
            [
                Loop("webhook_tenants", self.follow_tenants, TENANTS_SECONDS, asks=postgresql, at_once=True),
                Loop("sweep_webhooks", self.sweep, SWEEP_SECONDS, asks=postgresql),
                Loop(
                    "send_webhooks", self.deliveries.take_up, CLAIM_SECONDS, wait=self.deliveries.wait, asks=postgresql
                ),
                Loop("remove_webhooks", self.remove_old, REMOVE_SECONDS, asks=postgresql),
            ]
        )

    async def follow_tenants(self) -> None:
        """Begin to read the streams of tenants that have targets, and stop where the last one was removed."""
        rows = await self.database.read(EVERY_TENANT, "find_webhook_tenants")
        wanted = {row["tenant_id"] for row in rows}
        for tenant in wanted - self.feeds.keys():
            feed = Feed(self.settings, tenant, self.fan_out, self.deliveries.wake)
            await feed.open(self.loops.outages)
            self.feeds[tenant] = feed
            _log.info("webhook.reading", tenant=tenant)
        for tenant in self.feeds.keys() - wanted:
            await self.feeds[tenant].close()
            await drop_groups(self.redis, tenant)
            del self.feeds[tenant]
            self._looked.discard(tenant)
            _log.info("webhook.reading_ended", tenant=tenant)

    async def sweep(self) -> int:
        """Make events of what no stream's entry pointed at; return how many."""
        made = 0
        for tenant in list(self.feeds):
            since = _LOOK_SECONDS if tenant in self._looked else _FIRST_LOOK_SECONDS
            rows = await self.database.read(
                tenant,
                "find_webhook_work",
                tenant=tenant,
                since_seconds=since,
                conversations_max=_CONVERSATIONS_MAX,
            )
            for row in rows:
                made += await self.fan_out.of_conversation(ConversationKey(tenant, row["conversation_id"]))
            if len(rows) < _CONVERSATIONS_MAX:
                self._looked.add(tenant)
        if made:
            self.deliveries.wake()
        return made

    async def remove_old(self) -> int:
        """Remove events that were kept for long enough; return how many."""
        days = self.settings.webhook_log_days
        rows = await self.database.read(
            EVERY_TENANT, "remove_webhook_events", older_than_days=days, rows_max=_ROWS_REMOVED_MAX
        )
        return int(rows[0]["removed"])

    async def close(self) -> None:
        """Stop to read, let attempts under way end, and stop."""
        await self.loops.stop()
        for feed in self.feeds.values():
            await feed.close()
        await self.deliveries.finish(self.settings.webhook_seconds_max)


@asynccontextmanager
async def open_deliverer(settings: DeliverySettings) -> AsyncIterator[Deliverer]:
    """Connect, check that this process fits its servers, and deliver until the end of the block.

    Raises ServerUnreachable, SchemaOutdated or InvalidSettings before any work starts.
    """
    sealer = open_sealer(settings)
    async with AsyncExitStack() as opened:
        database, redis = await open_servers(settings, opened)
        await check_deployment(database, sealer)
        sender = await opened.enter_async_context(open_sender(settings))
        outages = Outages(settings)
        loops = Loops(outages)
        deliveries = Deliveries(DeliveryParts(database, sealer, sender, outages), settings)
        deliverer = Deliverer(settings, database, redis, FanOut(database, sealer), deliveries, loops)
        opened.push_async_callback(deliverer.close)
        deliverer.start()
        _log.info("webhook.ready")
        yield deliverer
    _log.info("webhook.stopped")
