"""Measure what every process of the product has: supervised loops, servers, connections, an event loop that may lag."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from runtime.loops import Loop
from runtime.telemetry.metrics import Metrics, MetricSpec, wall_clock

if TYPE_CHECKING:
    from collections.abc import Callable

    from runtime.database import Database
    from runtime.loops import LoopHealth, Loops
    from runtime.outage import Outages

LAG_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

_LOOK_SECONDS: Final = 0.5
_NAP_SECONDS: Final = 0.01

LOOP_LAG: Final = MetricSpec(
    "fte_loop_lag_seconds",
    "histogram",
    "How much later than asked the event loop woke a sleeper, looked at twice a second",
    buckets=LAG_SECONDS,
)
LOOP_RUNS: Final = MetricSpec("fte_loop_runs_total", "counter", "Rounds of a supervised loop", ("loop",))
LOOP_FAILURES: Final = MetricSpec("fte_loop_failures_total", "counter", "Rounds that failed", ("loop",))
LOOP_FAILING: Final = MetricSpec(
    "fte_loop_failures_in_a_row", "gauge", "Rounds that failed since the last one that succeeded", ("loop",)
)
LOOP_SUCCESS: Final = MetricSpec(
    "fte_loop_last_success_timestamp_seconds",
    "gauge",
    "When a round last succeeded; only of loops that are this process's to run now",
    ("loop",),
)
LOOP_INTERVAL: Final = MetricSpec("fte_loop_interval_seconds", "gauge", "How often a round is due", ("loop",))
SERVER_AWAY: Final = MetricSpec(
    "fte_server_away", "gauge", "1 while a server does not answer this process", ("server",)
)
CONNECTIONS: Final = MetricSpec(
    "fte_database_connections", "gauge", "Connections of the process's pool to PostgreSQL", ("state",)
)
CONNECTIONS_WAITING: Final = MetricSpec(
    "fte_database_pool_waiting", "gauge", "Statements that wait for a connection of the pool"
)
OF_A_LOOPING_PROCESS: Final = (
    LOOP_LAG,
    LOOP_RUNS,
    LOOP_FAILURES,
    LOOP_FAILING,
    LOOP_SUCCESS,
    LOOP_INTERVAL,
    SERVER_AWAY,
    CONNECTIONS,
    CONNECTIONS_WAITING,
)


def watch_loops(metrics: Metrics, loops: Loops) -> None:
    """Measure the supervised loops."""

    def of_each(read: Callable[[LoopHealth], float | None]) -> dict[tuple[str, ...], float]:
        found = {(health.name,): read(health) for health in loops.health}
        return {labels: value for labels, value in found.items() if value is not None}

    metrics.read(LOOP_RUNS, lambda: of_each(lambda health: health.runs))
    metrics.read(LOOP_FAILURES, lambda: of_each(lambda health: health.failures))
    metrics.read(LOOP_FAILING, lambda: of_each(lambda health: health.failures_in_a_row))
    metrics.read(LOOP_INTERVAL, lambda: of_each(lambda health: health.interval_seconds))
    metrics.read(LOOP_SUCCESS, lambda: of_each(_last_success))


def _last_success(health: LoopHealth) -> float | None:
    if health.last_success_at is None or not health.is_on_duty:
        return None
    return wall_clock(health.last_success_at)


def watch_servers(metrics: Metrics, outages: Outages) -> None:
    """Measure which servers are away, as the process's loops and turns find them."""
    metrics.read(
        SERVER_AWAY,
        lambda: {
            ("postgresql",): float(outages.postgresql.is_away),
            ("redis",): float(outages.redis.is_away),
        },
    )


def watch_connections(metrics: Metrics, database: Database) -> None:
    """Measure the process's connections to PostgreSQL."""
    metrics.read(
        CONNECTIONS,
        lambda: {
            ("open",): database.pool_figures["pool_size"],
            ("free",): database.pool_figures["pool_available"],
            ("max",): database.pool_figures["pool_max"],
        },
    )
    metrics.read(CONNECTIONS_WAITING, lambda: database.pool_figures["requests_waiting"])


def lag_loop(metrics: Metrics) -> Loop:
    """Return the loop that measures how late the event loop wakes a sleeper."""
    lag = metrics.histogram(LOOP_LAG)

    async def nap() -> None:
        clock = asyncio.get_running_loop()
        due = clock.time() + _NAP_SECONDS
        await asyncio.sleep(_NAP_SECONDS)
        lag.observe(max(0.0, clock.time() - due))

    return Loop("loop_lag", nap, _LOOK_SECONDS)
