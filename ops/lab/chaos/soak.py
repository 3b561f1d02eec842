"""Soak test: a steady load under random faults for a long time, an audit, and the growth meanwhile."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ops.lab.chaos.load import TENANT
from ops.lab.chaos.mixture import mixed_fault
from ops.lab.chaos.run import chaos_on
from ops.lab.growth import GrowthWatch
from ops.lab.load.measured import timeline_of
from ops.verify import Verification
from ops.verify.tally import CustomerWait, Sent, distribution
from runtime.cancelling import cancel_and_wait
from runtime.database import Database
from runtime.redis import make_redis

if TYPE_CHECKING:
    from pathlib import Path

    from ops.lab.chaos.run import ChaosOptions, FaultResult
    from ops.lab.load.measured import Timeline
    from ops.verify import Finding
    from ops.verify.growth_figure import GrowthFigure
    from ops.verify.tally import Distribution
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
    timeline: Timeline
    began_at: float
    """When the timeline begins, in epoch seconds."""
    latency_ms: Distribution
    """From when PostgreSQL accepted a message to when it had its answer."""

    @property
    def broken(self) -> list[str]:
        """Return every broken promise, in words."""
        return [*self.row.broken, *(f"{found.check}: {found.what}" for found in self.violations)]

    @property
    def is_good(self) -> bool:
        """Check whether every promise was kept, and nothing grew."""
        return not (self.broken or any(figure.has_grown for figure in self.figures))


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
        waits = await _read_waits(running.settings, f"chaos-{options.seed}-")
        return Soaked(
            row,
            watch.judge(),
            await _verify(running.settings),
            timeline_of([wait.sent for wait in waits], waits),
            min((wait.sent.due_at for wait in waits), default=0.0),
            distribution([wait.latency_ms for wait in waits]),
        )


async def _read_waits(settings: Settings, prefix: str) -> list[CustomerWait]:
    """Read how long each message of conversations with this prefix waited for its answer, by PostgreSQL's clock."""
    database = Database(settings)
    await database.open()
    try:
        rows = await database.read(TENANT, "audit_inbox", prefix=prefix)
    finally:
        await database.close()
    waits = []
    for row in rows:
        if row["finished_at"] is not None:
            accepted_at, answered_at = row["accepted_at"].timestamp(), row["finished_at"].timestamp()
            sent = Sent(row["conversation_id"], row["position"], accepted_at, accepted=True, accepted_at=accepted_at)
            sent.answered_at = answered_at
            latency_ms = (answered_at - accepted_at) * 1_000
            waits.append(CustomerWait(sent, latency_ms, latency_ms))
    return waits


async def _verify(settings: Settings) -> list[Finding]:
    database, redis = Database(settings), make_redis(settings)
    await database.open()
    try:
        return (await Verification(settings, database, redis).run()).findings
    finally:
        await database.close()
        await redis.aclose()
