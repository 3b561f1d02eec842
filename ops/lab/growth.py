"""Watch for growth under a steady load: memory, descriptors, connections, keys; and compare it with limits."""

from __future__ import annotations

import asyncio
import statistics
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psutil
from redis.exceptions import RedisError

from ops.verify.growth_figure import GrowthFigure
from runtime.database import EVERY_TENANT, Database
from runtime.outage import POSTGRESQL_AWAY
from runtime.redis import make_redis

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from redis.asyncio import Redis

    from schema.settings.servers import ServerSettings

SAMPLE_SECONDS = 2.0
WARM_UP_SECONDS_MAX = 60.0
WARM_UP_SHARE = 0.2
WINDOW_SHARE = 0.2
"""Share of the time over which a figure is taken: after the warm-up, and at the end."""

_MB = 1_000_000

Limit = tuple[float, float]
"""The factor and the addend up to which a figure may be larger at the end."""

LIMITS: Mapping[str, Limit | None] = {
    "worker memory, MB": (1.10, 10),
    "worker file descriptors": (1.25, 20),  # pools of connections and threads fill with the largest crowd so far
    "worker threads": (1.25, 20),
    "PostgreSQL connections": (1.25, 10),
    "Redis connections": (1.25, 20),
    "Redis keys": (1.05, 50),
    "Redis memory, MB": None,  # outbound streams keep their entries, up to FTE_STREAM_ENTRIES_MAX
}
"""Limits of the figures. Of workers the largest counts: the one that has lived longest, where others were killed."""


@dataclass
class GrowthWatch:
    """Samples workers on this machine (none: servers alone) and the servers, until cancelled."""

    settings: ServerSettings
    pids: Callable[[], Sequence[int]]
    samples: list[tuple[float, dict[str, float]]] = field(default_factory=list)
    """Seconds since the beginning, and the values then; those of a server that was away are missing."""

    async def run(self) -> None:
        """Take a sample every SAMPLE_SECONDS."""
        began = time.monotonic()
        database, redis = Database(self.settings), make_redis(self.settings)
        await database.open()
        try:
            while True:
                found = self._look_at_workers()
                found |= await _look_at_postgres(database)
                found |= await _look_at_redis(redis)
                self.samples.append((time.monotonic() - began, found))
                await asyncio.sleep(SAMPLE_SECONDS)
        finally:
            await database.close()
            await redis.aclose()

    def judge(self) -> list[GrowthFigure]:
        """Return a figure for each quantity seen both after the warm-up and at the end."""
        return judge(self.samples)

    def _look_at_workers(self) -> dict[str, float]:
        found: dict[str, float] = {}
        for pid in self.pids():
            try:
                process = psutil.Process(pid)
                with process.oneshot():
                    memory, threads = process.memory_info().rss / _MB, process.num_threads()
                    descriptors = process.num_fds()
            except psutil.Error:
                continue  # it has ended just now
            seen = {
                "worker memory, MB": memory,
                "worker file descriptors": descriptors,
                "worker threads": threads,
            }
            found.update({name: max(value, found.get(name, 0.0)) for name, value in seen.items()})
        return found


def judge(samples: Sequence[tuple[float, Mapping[str, float]]]) -> list[GrowthFigure]:
    """Compare the end with the time after the warm-up; `samples` are in order of time."""
    if not samples:
        return []
    whole = samples[-1][0]
    warm = min(WARM_UP_SECONDS_MAX, whole * WARM_UP_SHARE)
    figures = []
    for name, limit in LIMITS.items():
        seen = [(at, values[name]) for at, values in samples if name in values]
        first = [value for at, value in seen if warm <= at <= warm + whole * WINDOW_SHARE]
        last = [value for at, value in seen if at >= whole * (1 - WINDOW_SHARE)]
        if first and last:
            before = statistics.median(first)
            allowed = None if limit is None else before * limit[0] + limit[1]
            most = max(value for _, value in seen)
            figures.append(GrowthFigure(name, before, statistics.median(last), most, allowed))
    return figures


async def _look_at_postgres(database: Database) -> dict[str, float]:
    try:
        rows = await database.read(EVERY_TENANT, "count_connections")
    except POSTGRESQL_AWAY:
        return {}
    return {"PostgreSQL connections": float(rows[0]["connections"])}


async def _look_at_redis(redis: Redis) -> dict[str, float]:
    try:
        about = await redis.info()
        keys = await redis.dbsize()
    except (RedisError, OSError):
        return {}
    return {
        "Redis connections": float(about["connected_clients"]),
        "Redis keys": float(keys),
        "Redis memory, MB": about["used_memory"] / _MB,
    }
