"""Soak test: a steady load under random faults for a long time, an audit, and the growth meanwhile."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ops.lab.chaos.mixture import mixed_fault
from ops.lab.chaos.run import chaos_on
from ops.lab.growth import GrowthWatch
from ops.verify import Verification
from runtime.cancelling import cancel_and_wait
from runtime.database import Database
from runtime.redis import make_redis

if TYPE_CHECKING:
    from pathlib import Path

    from ops.lab.chaos.run import ChaosOptions, FaultResult
    from ops.verify import Finding
    from ops.verify.growth_figure import GrowthFigure
    from schema.settings import Settings

SPARED = 1
"""Workers that are not killed: one that lives for minutes has no time to grow."""


@dataclass(frozen=True)
class Soaked:
    """The outcome of a soak test."""

    row: FaultResult
    figures: list[GrowthFigure]
    violations: list[Finding]
    """Findings of `fte verify` at the end."""

    @property
    def is_good(self) -> bool:
        """Check whether every promise was kept, and nothing grew."""
        return not (self.row.broken or self.violations or any(figure.has_grown for figure in self.figures))


async def soak(settings: Settings, folder: Path, options: ChaosOptions, seconds: float) -> Soaked:
    """Run servers, workers and a gateway in a folder for so long, break them at random, and audit the result."""
    async with chaos_on(settings, folder, options) as running:
        running.spare(SPARED)
        watch = GrowthWatch(running.settings, lambda: running.worker_pids)
        watching = asyncio.create_task(watch.run())
        try:
            row = await running.run(mixed_fault(seconds))
            if watching.done():
                watching.result()  # it ends by an error alone
        finally:
            await cancel_and_wait(watching)
        return Soaked(row, watch.judge(), await _verify(running.settings))


async def _verify(settings: Settings) -> list[Finding]:
    database, redis = Database(settings), make_redis(settings)
    await database.open()
    try:
        return (await Verification(settings, database, redis).run()).findings
    finally:
        await database.close()
        await redis.aclose()
