"""Benchmark the product in lanes: one and two worker processes, bursts and paced loads, models of 0, 0.3 and 1 s.

`python -m ops.lab.lanes`. docs/performance.md keeps what it printed, release by release.
"""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import typer
import uvloop
from rich.console import Console
from rich.table import Table

from ops.lab.bench.cpu import cpu_seconds, spent_since
from ops.lab.load.options import LoadOptions
from ops.lab.load.run import run_load
from ops.lab.machine_speed import measure_slowness
from ops.standalone.standalone import run_everything
from ops.verify.tally import is_kept
from runtime.configuration import load_settings
from runtime.database import Database

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ops.lab.load.measured import MeasuredLoad
    from ops.standalone.standalone import Crew
    from schema.settings import Settings

BURST_PER_SECOND = 5_000.0
"""All messages of a burst fall due within a tenth of a second."""

PACED_PER_SECOND = 10.0
IDLE_SECONDS = 20.0
KILLED_AFTER_SECONDS = 8.0


@dataclass(frozen=True, slots=True)
class Lane:
    """One load on a number of workers; its model takes `model_ms` for each call."""

    workers: int
    messages_per_second: float
    model_ms: int
    conversations: int = 100
    turns: int = 5

    @property
    def name(self) -> str:
        """Return what distinguishes the lane."""
        is_burst = self.messages_per_second == BURST_PER_SECOND
        return "burst" if is_burst else f"{self.messages_per_second:g}/s"

    @property
    def load(self) -> LoadOptions:
        """Return the load; it begins with conversations that nobody has seen."""
        return LoadOptions(
            conversations=self.conversations,
            turns=self.turns,
            messages_per_second=self.messages_per_second,
            model_latency_ms=f"{self.model_ms}..{self.model_ms}",
            lag_ms_max=1_000,
            channels=("chat",),
        )


LANES = tuple(
    Lane(workers, rate, model_ms)
    for workers in (1, 2)
    for rate, model_ms in (
        (BURST_PER_SECOND, 0),
        (BURST_PER_SECOND, 1_000),
        (PACED_PER_SECOND, 0),
        (PACED_PER_SECOND, 300),
        (PACED_PER_SECOND, 1_000),
    )
)


@dataclass(frozen=True, slots=True)
class LaneFigures:
    """What a lane cost; CPU in milliseconds a message by kind of process, memory in megabytes of the largest worker."""

    lane: Lane
    report: MeasuredLoad
    cpu_ms: dict[str, float]
    memory_mb: float


@dataclass(frozen=True, slots=True)
class CrashFigures:
    """What came after `kill -9` of all workers under a paced load, in seconds."""

    first_reply: float
    all_moving: float
    """Until each conversation that had a message waiting then had one answered."""


def main(lanes: str = "") -> None:
    """Run each lane on servers of its own and print the figures; `--lanes burst` runs those of that name alone."""
    os.environ["FTE_MODEL"] = "stub"
    console = Console()
    slowness = asyncio.run(measure_slowness())
    console.print(f"{os.cpu_count()} cores, {slowness:.1f} times as slow as the reference machine")
    chosen = [lane for lane in LANES if lanes in lane.name]
    figures: list[LaneFigures] = []
    idle: dict[int, float] = {}
    crashes: dict[int, CrashFigures] = {}
    for workers in sorted({lane.workers for lane in chosen}):
        with tempfile.TemporaryDirectory(prefix="fte-bench-", ignore_cleanup_errors=True) as folder:
            settings = load_settings(state_dir=Path(folder) / "state", load_tests=True)
            with run_everything(settings, workers=workers, say=lambda _: None) as (here, crew):
                uvloop.run(run_load(here, Lane(workers, 50, 0, 20, 5).load))  # warm-up
                for lane in chosen:
                    if lane.workers == workers:
                        figures.append(_run(here, crew, lane))
                        console.print(_line(figures[-1]))
                idle[workers] = _idle_share(crew)
                crashes[workers] = uvloop.run(_crash(here, crew))
    console.print(_table(figures))
    for workers, share in idle.items():
        crash = crashes[workers]
        console.print(
            f"{workers} worker(s): idle {share:.2%} of a core each; after kill -9 of all, restarted at once, the first "
            f"reply after {crash.first_reply:.1f} s, all conversations moving after {crash.all_moving:.1f} s"
        )
    if not all(is_kept(one.report) for one in figures):
        raise typer.Exit(1)


def _run(settings: Settings, crew: Crew, lane: Lane) -> LaneFigures:
    before = cpu_seconds()
    report = uvloop.run(run_load(settings, lane.load))
    spent = {kind: 1_000 * seconds / report["messages"] for kind, seconds in spent_since(before).items()}
    return LaneFigures(lane, report, spent, max(psutil.Process(pid).memory_info().rss for pid in crew.pids) / 1e6)


def _idle_share(crew: Crew) -> float:
    """Return the share of a core that an idle worker takes, on average."""

    def taken() -> float:
        return sum(sum(psutil.Process(pid).cpu_times()[:2]) for pid in crew.pids)

    time.sleep(2)  # what follows the last turn
    before = taken()
    time.sleep(IDLE_SECONDS)
    return (taken() - before) / IDLE_SECONDS / len(crew.pids)


async def _crash(settings: Settings, crew: Crew) -> CrashFigures:
    """Kill all workers under a paced load; their supervisor restarts them at once."""
    load = Lane(len(crew.pids), 2 * PACED_PER_SECOND, 300).load
    loading = asyncio.create_task(run_load(settings, load))
    await asyncio.sleep(KILLED_AFTER_SECONDS)
    for pid in crew.pids:
        os.kill(pid, signal.SIGKILL)
    killed_at = datetime.now(UTC)
    await loading
    database = Database(settings)
    await database.open()
    rows = await database.read("default", "audit_inbox", prefix=f"load-{load.run}-")
    await database.close()
    waited: dict[str, float] = {}
    for row in rows:
        if row["accepted_at"] < killed_at < row["finished_at"]:
            seconds = (row["finished_at"] - killed_at).total_seconds()
            name = row["conversation_id"]
            waited[name] = min(seconds, waited.get(name, seconds))
    return CrashFigures(min(waited.values()), max(waited.values()))


def _line(one: LaneFigures) -> str:
    total = sum(one.cpu_ms.values())
    return f"{one.lane.workers} worker(s), {one.lane.name}, model {one.lane.model_ms} ms: {total:.1f} ms CPU a message"


def _table(figures: Sequence[LaneFigures]) -> Table:
    table = Table(title="100 conversations of 5 messages")
    table.caption = (
        "w: workers; model, p50, p95, p99 (until the reply, without the model): ms; CPU, of that worker, PG "
        "(PostgreSQL) and Redis: ms a message; MB: the largest worker"
    )
    for column in ("w", "load", "model", "msg/s", "CPU", "worker", "PG", "Redis", "p50", "p95", "p99", "MB"):
        table.add_column(column, justify="right", no_wrap=True)
    for one in figures:
        waits = one.report["overhead_ms"]
        table.add_row(
            str(one.lane.workers),
            one.lane.name,
            str(one.lane.model_ms),
            f"{one.report['messages_per_s']:.0f}",
            f"{sum(one.cpu_ms.values()):.1f}",
            *(f"{one.cpu_ms.get(kind, 0):.1f}" for kind in ("worker", "PostgreSQL", "Redis")),
            *(f"{waits[name]:,.0f}" for name in ("p50", "p95", "p99")),
            f"{one.memory_mb:.0f}",
        )
    return table


if __name__ == "__main__":
    typer.run(main)
