"""Export the facts of a whole deployment, once for all its processes: `fte metrics`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import structlog
from psycopg import errors

from ops.watch import specs
from ops.watch.readings import Figures, Readings
from runtime.configuration import open_sealer
from runtime.connecting import open_servers
from runtime.loops import Loop, Loops, RoundMissed
from runtime.outage import Outages
from runtime.startup import check_deployment
from runtime.telemetry.metrics import Metrics, MetricSpec, Reading
from runtime.telemetry.metrics_endpoint import serve_metrics
from runtime.telemetry.process_metrics import lag_loop, watch_connections, watch_loops, watch_servers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from schema.settings.metrics import ExportSettings

READ_SECONDS: Final = 5.0
"""How often what changes by the second is read."""

READ_SELDOM_SECONDS: Final = 60.0
"""How often what is counted over whole tables is read."""

SHARE_MAX: Final = 0.05
"""Part of the time that one reading may take: one that takes long is made less often."""

FACTS_SECONDS_MAX: Final = 20.0
"""Time limit of one reading."""


_SLOW: Final = (TimeoutError, errors.QueryCanceled)
"""Raised where a reading was cut off."""

ServerName = Literal["postgresql", "redis"]

_log = structlog.get_logger("fte.metrics")


@dataclass(frozen=True)
class FactsGroup:
    """Metrics that are read together, how, and how often."""

    name: str
    specs: tuple[MetricSpec, ...]
    read: Callable[[], Awaitable[Figures]]
    every_seconds: float
    asks: tuple[ServerName, ...] = ("postgresql",)
    """The servers that a reading has reached when it succeeds."""


class Exporter:
    """Reads each group of facts in a loop of its own, and serves what was last read.

    What cannot be read is left out: a figure that is old would look like one that is true.
    """

    def __init__(self, metrics: Metrics, outages: Outages, groups: tuple[FactsGroup, ...]) -> None:
        self._metrics = metrics
        self._outages = outages
        self._groups = groups
        self._figures: dict[str, Figures] = {}
        self._seconds: dict[str, float] = {}
        for group in groups:
            for spec in group.specs:
                metrics.read(spec, self._reading_of(group.name, spec))
        metrics.read(specs.COLLECT_SECONDS, lambda: {(name,): taken for name, taken in list(self._seconds.items())})

    def loops(self) -> list[Loop]:
        """Return the loops that read."""
        return [self._loop_of(group) for group in self._groups]

    async def read(self, group: FactsGroup) -> None:
        """Read one group of facts; raises what its servers raise, counted, and then its metrics are left out.

        A reading that takes too long is no outage, but a missed round: RoundMissed.
        """
        began = time.monotonic()
        try:
            async with asyncio.timeout(FACTS_SECONDS_MAX):
                found = await group.read()
        except Exception as error:
            self._figures.pop(group.name, None)
            self._metrics.count_failure(group.name)
            if isinstance(error, _SLOW):
                _log.warning("metrics.slow", facts=group.name, seconds=round(time.monotonic() - began, 1))
                raise RoundMissed from error
            raise
        finally:
            self._seconds[group.name] = time.monotonic() - began
        self._figures[group.name] = found
        for server in group.asks:
            (self._outages.postgresql if server == "postgresql" else self._outages.redis).ends()

    def _reading_of(self, group: str, spec: MetricSpec) -> Callable[[], Reading]:
        return lambda: self._figures.get(group, {}).get(spec)

    def _loop_of(self, group: FactsGroup) -> Loop:
        async def wait(seconds: float) -> None:
            await asyncio.sleep(max(seconds, self._seconds.get(group.name, 0.0) / SHARE_MAX))

        return Loop(f"read_{group.name}", lambda: self.read(group), group.every_seconds, wait=wait, at_once=True)


def groups_of(readings: Readings) -> tuple[FactsGroup, ...]:
    """Return every group of facts."""
    often, seldom = READ_SECONDS, READ_SELDOM_SECONDS
    both: tuple[ServerName, ...] = ("postgresql", "redis")
    waiting = (specs.OLDEST_READY, specs.OLDEST_PARKED, specs.OLDEST_LEASED, specs.CONVERSATIONS, specs.WAITING)
    outbound = (specs.UNPUBLISHED, specs.OLDEST_UNPUBLISHED, specs.STREAM_LAG, specs.OLDEST_UNCOLLECTED)
    return (
        FactsGroup("waiting", waiting, readings.waiting, often, both),
        FactsGroup("outbound", outbound, readings.outbound, often),
        FactsGroup("deliveries", (specs.DELIVERIES_DUE, specs.OLDEST_DELIVERY), readings.deliveries, often),
        FactsGroup("accounts", (specs.ACCOUNTS_STOPPED,), readings.accounts, seldom),
        FactsGroup("workers", (specs.WORKERS,), readings.workers, often, ("redis",)),
        FactsGroup("switches", (specs.SWITCH_OFF,), readings.switches, often),
        FactsGroup("verified", (specs.VIOLATIONS, specs.VERIFY_AGE), readings.verified, often, ("redis",)),
        FactsGroup(
            "servers",
            (specs.CONNECTIONS_SHARE, specs.REDIS_MEMORY_SHARE),
            readings.servers,
            often,
            ("postgresql", "redis"),
        ),
        FactsGroup("letters", (specs.DEAD_LETTERS_HELD,), readings.letters, often),
        FactsGroup("tickets", (specs.TICKETS, specs.OLDEST_OVERDUE), readings.tickets, seldom),
        FactsGroup("conservation", (specs.CONSERVATION_GAP,), readings.conservation, seldom),
    )


@asynccontextmanager
async def open_exporter(settings: ExportSettings, listen: str) -> AsyncIterator[int]:
    """Connect, read and serve until the end of the block; yields the port.

    Raises ServerUnreachable, SchemaOutdated or InvalidSettings before anything is served.
    """
    async with AsyncExitStack() as opened:
        database, redis = await open_servers(settings, opened)
        await check_deployment(database, open_sealer(settings))
        metrics, loops = Metrics(), Loops(Outages(settings))
        opened.push_async_callback(loops.stop)
        exporter = Exporter(metrics, loops.outages, groups_of(Readings(database, redis, settings.partitions)))
        watch_loops(metrics, loops)
        watch_servers(metrics, loops.outages)
        watch_connections(metrics, database)
        endpoint = serve_metrics(metrics.registry, listen)
        opened.callback(endpoint.close)
        loops.start([*exporter.loops(), lag_loop(metrics)])
        yield endpoint.port
