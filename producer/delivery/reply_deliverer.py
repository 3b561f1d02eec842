"""Compose the process that delivers the replies of one channel: `fte deliver sms`, `fte deliver email`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import structlog

from producer.delivery.feed import Feeds, Ring
from producer.delivery.metrics import DeliveryMetrics
from producer.delivery.reply_channel import ReplyChannel
from producer.delivery.reply_deliveries import ReplyDeliveries, ReplyParts
from producer.delivery.reply_failures import LateFailures
from producer.delivery.reply_intake import ReplyIntake
from producer.delivery.reply_tickets import AnswerBy, ReplyTickets
from producer.delivery.sweep import SWEEP_SECONDS, TENANTS_SECONDS, Sweep
from runtime.channel_accounts import ChannelAccounts
from runtime.configuration import open_sealer
from runtime.connecting import open_servers
from runtime.database import EVERY_TENANT, Database
from runtime.failpoints import Failpoint, no_failpoint
from runtime.loops import Loop, Loops
from runtime.outage import Outages
from runtime.startup import check_deployment
from runtime.telemetry.process_metrics import lag_loop
from runtime.tenants import Tenants
from schema.keys import replies_stream

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from runtime.sealing import Sealer
    from runtime.sender_keys import SenderKeys
    from schema.channels import Channel
    from schema.settings.metrics import MeasuredSettings

LOG_DAYS: Final = 30
"""How long deliveries that ended are kept, to look up and to redrive."""

TEXT_SECONDS: Final = 2 * 86_400.0
"""How long what a reply was sent as is kept: longer than its customer may ask for more, or a failure comes late."""

REMOVE_SECONDS: Final = 60.0
CLAIM_SECONDS: Final = 0.5
FAILURES_SECONDS: Final = 2.0

_FIRST_LOOK_SECONDS: Final = 7 * 86_400.0
_ROWS_REMOVED_MAX: Final = 2_000

_log = structlog.get_logger("fte.replies")


@dataclass(frozen=True)
class ChannelParts:
    """What a channel may be opened with."""

    database: Database
    sealer: Sealer
    senders: SenderKeys


OpenChannel = Callable[[ChannelParts], AbstractAsyncContextManager[ReplyChannel]]
"""Opens a channel's way to its provider: an HTTP client, connections to a relay."""


@dataclass
class ReplyDeliverer:
    """Takes up the replies of one channel for the tenants that have an account of it, and sends them."""

    database: Database
    channel: Channel
    deliveries: ReplyDeliveries
    failures: LateFailures
    loops: Loops
    feeds: Feeds
    sweep: Sweep

    def start(self) -> None:
        """Start to read, to take up and to send."""
        postgresql = self.loops.outages.postgresql
        tasks = self.deliveries.tasks
        self.loops.start(
            [
                Loop("channel_tenants", self.sweep.follow, TENANTS_SECONDS, asks=postgresql, at_once=True),
                Loop("sweep_replies", self.sweep.take_up, SWEEP_SECONDS, asks=postgresql),
                Loop("send_replies", self.deliveries.take_up, CLAIM_SECONDS, wait=tasks.wait, asks=postgresql),
                Loop("late_failures", self.failures.take_up, FAILURES_SECONDS, asks=postgresql),
                Loop("remove_replies", self.remove_old, REMOVE_SECONDS, asks=postgresql),
            ]
        )

    async def remove_old(self) -> int:
        """Forget the texts of what left days ago, and remove what ended long ago; return how many deliveries went."""
        await self.database.read(
            EVERY_TENANT,
            "forget_reply_texts",
            channel=self.channel,
            older_than_seconds=TEXT_SECONDS,
            rows_max=_ROWS_REMOVED_MAX,
        )
        rows = await self.database.read(
            EVERY_TENANT,
            "remove_replies",
            channel=self.channel,
            older_than_days=LOG_DAYS,
            rows_max=_ROWS_REMOVED_MAX,
        )
        return int(rows[0]["removed"])

    async def close(self) -> None:
        """Stop to read, let attempts under way end, and stop."""
        await self.loops.stop()
        await self.feeds.close()
        await self.deliveries.tasks.finish(self.deliveries.send_seconds_max)


@asynccontextmanager
async def open_reply_deliverer(
    settings: MeasuredSettings,
    open_channel: OpenChannel,
    answer_by: AnswerBy,
    *,
    failpoint: Failpoint = no_failpoint,
) -> AsyncIterator[ReplyDeliverer]:
    """Connect, check that this process fits its servers, and deliver a channel's replies until the end of the block.

    `answer_by` says by when a person takes up the ticket of a reply that did not get through.
    Raises ServerUnreachable, SchemaOutdated or InvalidSettings before any work starts.
    """
    sealer = open_sealer(settings)
    async with AsyncExitStack() as opened:
        database, redis = await open_servers(settings, opened)
        senders = await check_deployment(database, sealer)
        channel = await opened.enter_async_context(open_channel(ChannelParts(database, sealer, senders)))
        outages = Outages(settings)
        accounts = ChannelAccounts(database, sealer)
        tickets = ReplyTickets(sealer, Tenants(database), answer_by)
        loops, metrics = Loops(outages), DeliveryMetrics(channel.name)
        opened.enter_context(metrics.served(settings, database, loops))
        parts = ReplyParts(database, sealer, accounts, channel, tickets, outages, metrics, failpoint)
        deliveries, failures = ReplyDeliveries(parts), LateFailures(parts)
        intake = ReplyIntake(database, sealer, senders, channel.name)
        ring = Ring(
            group_of(channel.name),
            lambda tenant: [replies_stream(tenant, channel.name)],
            intake.of_conversation,
            deliveries.tasks.wake,
        )
        feeds = Feeds(settings, redis, outages, ring)
        of_channel = {"channel": channel.name}
        sweep = Sweep(database, feeds, ring, "find_reply_tenants", "find_reply_work", _FIRST_LOOK_SECONDS, of_channel)
        deliverer = ReplyDeliverer(database, channel.name, deliveries, failures, loops, feeds, sweep)
        opened.push_async_callback(deliverer.close)
        deliverer.start()
        loops.start([lag_loop(metrics)])
        _log.info("reply.ready", channel=channel.name)
        yield deliverer
    _log.info("reply.stopped")


def group_of(channel: Channel) -> str:
    """Return the consumer group as which a channel's deliverers read its stream of replies."""
    return f"fte.deliver.{channel}"
