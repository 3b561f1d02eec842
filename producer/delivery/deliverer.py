"""Compose the process that delivers webhooks: `fte deliver webhooks`."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import structlog

from producer.delivery.deliveries import Deliveries, DeliveryParts
from producer.delivery.fan_out import FanOut
from producer.delivery.feed import Feeds, Ring
from producer.delivery.metrics import DeliveryMetrics
from producer.delivery.sending import open_sender
from producer.delivery.sweep import SWEEP_SECONDS, TENANTS_SECONDS, Sweep
from runtime.configuration import open_sealer
from runtime.connecting import open_servers
from runtime.database import EVERY_TENANT, Database
from runtime.loops import Loop, Loops
from runtime.outage import Outages
from runtime.startup import check_deployment
from runtime.telemetry.process_metrics import lag_loop
from schema.channels import CHANNELS
from schema.keys import escalations_stream, events_stream, replies_stream

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from schema.settings.webhooks import DeliverySettings

GROUP: Final = "fte.webhooks"

REMOVE_SECONDS: Final = 60.0
CLAIM_SECONDS: Final = 0.5

_FIRST_LOOK_SECONDS: Final = 30 * 86_400.0
"""How far back the first look of a process goes; never before a tenant's first target was added."""
_ROWS_REMOVED_MAX: Final = 2_000

_log = structlog.get_logger("fte.webhooks")


def streams_of(tenant: str) -> list[str]:
    """Return the streams whose entries lead to webhooks."""
    return [
        events_stream(tenant),
        escalations_stream(tenant),
        *(replies_stream(tenant, channel) for channel in CHANNELS),
    ]


@dataclass
class Deliverer:
    """Makes events for the tenants that have targets, and sends them; several processes share the work."""

    settings: DeliverySettings
    database: Database
    deliveries: Deliveries
    loops: Loops
    feeds: Feeds
    sweep: Sweep

    def start(self) -> None:
        """Start to read, to make events and to send."""
        postgresql = self.loops.outages.postgresql
        self.loops.start(
            [
                Loop("webhook_tenants", self.sweep.follow, TENANTS_SECONDS, asks=postgresql, at_once=True),
                Loop("sweep_webhooks", self.sweep.take_up, SWEEP_SECONDS, asks=postgresql),
                Loop(
                    "send_webhooks",
                    self.deliveries.take_up,
                    CLAIM_SECONDS,
                    wait=self.deliveries.tasks.wait,
                    asks=postgresql,
                ),
                Loop("remove_webhooks", self.remove_old, REMOVE_SECONDS, asks=postgresql),
            ]
        )

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
        await self.feeds.close()
        await self.deliveries.tasks.finish(self.settings.webhook_seconds_max)


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
        metrics = DeliveryMetrics("webhook")
        opened.enter_context(metrics.served(settings, database, loops))
        deliveries = Deliveries(DeliveryParts(database, sealer, sender, outages, metrics), settings)
        ring = Ring(GROUP, streams_of, FanOut(database, sealer).of_conversation, deliveries.tasks.wake)
        feeds = Feeds(settings, redis, outages, ring)
        sweep = Sweep(database, feeds, ring, "find_webhook_tenants", "find_webhook_work", _FIRST_LOOK_SECONDS)
        deliverer = Deliverer(settings, database, deliveries, loops, feeds, sweep)
        opened.push_async_callback(deliverer.close)
        deliverer.start()
        loops.start([lag_loop(metrics)])
        _log.info("webhook.ready")
        yield deliverer
    _log.info("webhook.stopped")
