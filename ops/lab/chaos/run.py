"""Run faults one by one on a stack of their own: a load, the fault, and an audit of what became of every message."""

from __future__ import annotations

import asyncio
import math
import time
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random
from typing import TYPE_CHECKING

from pydantic import SecretStr

from ops.database.migrate import migrate
from ops.lab.chaos.audit import Evidence, Findings, audit, read_database, read_log
from ops.lab.chaos.crew import open_crew
from ops.lab.chaos.gateway import Gateway
from ops.lab.chaos.load import TENANT, Plan
from ops.lab.chaos.scene import FaultSpan, Scene
from ops.lab.chaos.servers import open_servers
from ops.lab.llm_sim.child import run_simulator
from ops.lab.load.scripts import BookingAccess
from ops.lab.machine_speed import measure_slowness
from runtime.cancelling import cancel_and_wait
from runtime.configuration import open_sealer
from runtime.database import connect
from runtime.redis import make_redis
from schema.resources import load_query

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from ops.lab.chaos.crew import ForkedCrew
    from ops.lab.chaos.faults import Fault
    from ops.lab.chaos.servers import ServerKind
    from schema.settings import Settings

ANSWERED_BEFORE = 8
"""Messages answered before the fault begins."""

MODEL_CALL_SECONDS_MAX = 6.0
"""How long workers wait for the provider, which hangs in some rows: the default would make each take a minute."""

LONGER_MAX = 6
"""How many times the usual load is sent at most, where the load lasts as long as its fault."""

START_SECONDS_MAX = 20.0
QUIET_SECONDS_MAX = 20.0

_NEVER_LOGGED = ("turn.failed_bug", "rescue.failed")
"""Events of a worker for errors that the code does not expect."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChaosOptions:
    """Load and number of kills of one fault."""

    workers: int = 3
    conversations: int = 30
    turns: int = 4
    messages_per_second: float = 8.0
    model_latency_ms: str = "100..400"
    kills: int = 20
    burst: int = 1_000
    seed: int = 1


@dataclass(frozen=True, slots=True)
class FaultResult:
    """The outcome of one fault."""

    fault: Fault
    findings: Findings
    kills: int
    seconds: float
    broken: tuple[str, ...]
    """Broken promises, in words."""
    late: tuple[str, ...] = ()
    """Those of them that are about seconds alone."""
    unshown: str | None = None
    """Why the fault could not be shown on this machine."""
    told: tuple[str, ...] = ()
    """What was measured beside the audit, in words."""
    slowness: float = 1.0
    """How many times slower than the reference the machine was, and so how many times longer the limits were."""
    spans: tuple[FaultSpan, ...] = ()
    """The faults, where they were several."""


@dataclass(frozen=True, slots=True)
class ChaosTotals:
    """Totals of several rows."""

    rows: int
    kills: int
    messages: int
    minutes: float
    broken: tuple[str, ...]
    """The rows with a broken promise."""
    unshown: tuple[str, ...]
    """The rows that this machine could not show."""


def sum_up(rows: Sequence[FaultResult], seconds: float) -> ChaosTotals:
    """Sum up rows that took `seconds` altogether."""
    return ChaosTotals(
        rows=sum(row.unshown is None for row in rows),
        kills=sum(row.kills for row in rows),
        messages=sum(row.findings.messages for row in rows),
        minutes=round(seconds / 60, 1),
        broken=tuple(row.fault.name for row in rows if row.broken),
        unshown=tuple(row.fault.name for row in rows if row.unshown is not None),
    )


class Chaos:
    """A running stack, with faults to run on it."""

    def __init__(
        self,
        scene: Scene,
        options: ChaosOptions,
        folder: Path,
        bookings: list[BookingAccess],
        beside: ForkedCrew | None,
    ) -> None:
        self.beside = beside
        """Slots for workers of another release, empty until a fault fills them."""
        self._scene = scene
        self._options = options
        self._folder = folder
        self._bookings = bookings
        self._runs = 0

    @property
    def settings(self) -> Settings:
        """Return the settings with its servers' addresses."""
        return self._scene.settings

    @property
    def worker_pids(self) -> list[int]:
        """Return the pids of the workers that are alive now."""
        return [slot.pid for slot in self._scene.workers if slot.pid is not None]

    def spare(self, workers: int) -> None:
        """Neither kill nor stop the first workers from now on, so that growth in them shows."""
        self._scene.spared = workers

    async def run(self, fault: Fault) -> FaultResult:
        """Run one fault under load and audit it."""
        scene = self._scene
        unshown = fault.why_unshown(scene)
        if unshown is not None:
            return FaultResult(fault, Findings(), 0, 0.0, (), unshown=unshown)
        started = time.monotonic()
        self._runs += 1
        plan = self._plan(fault)
        scene.run, scene.moments, scene.spans, scene.undone, scene.told = plan.run, [], [], [], []
        marks = {log: log.stat().st_size for log in (*self._logs, *(slot.log for slot in scene.crew.slots))}
        scene.log_starts = marks
        scene.slowness = await measure_slowness()
        kills = await self._play(plan, fault)
        scene.slowness = max(scene.slowness, await measure_slowness())
        findings = await asyncio.to_thread(audit, self._gather(plan, marks, fault))
        events = (*_NEVER_LOGGED, *fault.must_log)
        logged = {event: scene.logged(event) for event in events}
        late = tuple(judge_times(fault, findings, slowness=scene.slowness))
        broken = (*scene.undone, *judge(fault, findings, logged, kills=kills), *late)
        return FaultResult(
            fault,
            findings,
            kills,
            time.monotonic() - started,
            broken,
            late,
            told=tuple(scene.told),
            slowness=scene.slowness,
            spans=tuple(scene.spans),
        )

    async def _play(self, plan: Plan, fault: Fault) -> int:
        """Run the load and the fault, and wait for the end; return how many processes were killed."""
        scene = self._scene
        before = scene.gateway.answered
        scene.is_sending = scene.is_acting = True
        playing = asyncio.create_task(scene.gateway.play(plan, lambda: fault.keeps_sending and scene.is_acting))
        acting = None
        try:
            await scene.until(lambda: scene.gateway.answered >= before + ANSWERED_BEFORE, START_SECONDS_MAX)
            acting = asyncio.create_task(self._act(fault))
            await playing
            scene.is_sending = False
            kills = await acting
            await scene.gateway.wait_for_answers(plan.silence_seconds_max)
        finally:
            scene.is_sending = scene.is_acting = False
            await cancel_and_wait(playing, *filter(None, [acting]))
            await scene.restore()
        await scene.crew.wait_ready()
        await self._wait_until_published(plan)
        return kills

    async def _act(self, fault: Fault) -> int:
        deaths = self._scene.crew.deaths
        try:
            await fault.act(self._scene)
        finally:
            self._scene.is_acting = False
        return self._scene.crew.deaths - deaths

    async def _wait_until_published(self, plan: Plan) -> None:
        """Wait until everything in the outbox is published: escalations may follow the last reply."""
        deadline = time.monotonic() + QUIET_SECONDS_MAX
        while time.monotonic() < deadline:
            found = await asyncio.to_thread(read_database, self._scene.settings.database_url or "", plan.run)
            out = {line["id"] for line in read_log(self._logs[1])}
            if all(
                row["is_published"] and (row["kind"] == "event" or row["entry_id"] in out) for row in found["outbox"]
            ):
                return
            await asyncio.sleep(0.3)

    def _plan(self, fault: Fault) -> Plan:
        options = self._options
        messages_per_second = options.messages_per_second * fault.pace
        conversations = round(options.conversations * fault.crowd)
        turns = max(fault.turns or options.turns, math.ceil(fault.seconds * messages_per_second / conversations))
        if fault.is_burst:
            turns, messages_per_second, conversations = 1, math.inf, options.burst
        count = round(conversations * fault.bookings)
        first = self._runs * count
        bookings = [self._bookings[place % len(self._bookings)] for place in range(first, first + count)]
        return Plan(
            run=f"chaos-{options.seed}-{self._runs}-{fault.name.lower()}",
            conversations=conversations,
            turns=turns,
            messages_per_second=messages_per_second,
            seed=options.seed + self._runs,
            bookings=tuple(bookings),
            messages_max=options.conversations * options.turns * LONGER_MAX,
            copies=fault.copies,
        )

    @property
    def _logs(self) -> tuple[Path, Path, Path, Path]:
        folder = self._folder
        return folder / "ledger.jsonl", folder / "outbound.jsonl", folder / "raw.jsonl", folder / "calls.jsonl"

    def _gather(self, plan: Plan, marks: dict[Path, int], fault: Fault) -> Evidence:
        ledger, outbound, raw, calls = (read_log(log, marks[log]) for log in self._logs)
        mine = f"{plan.run}-"
        return Evidence(
            ledger=[line for line in ledger if line["conversation"].startswith(mine)],
            outbound=[line for line in outbound if line["conversation"].startswith(mine)],
            raw=[line for line in raw if line["conversation"].startswith(mine)],
            calls=calls,
            consumers_killed=self._scene.crew.consumer.killed,
            redis_forgets=fault.redis_forgets,
            moments=list(self._scene.moments),
            **read_database(self._scene.settings.database_url or "", plan.run),
        )


def judge(fault: Fault, findings: Findings, logged: dict[str, int], *, kills: int = 0) -> list[str]:
    """Return which promises a fault broke, but for those about seconds; `logged`: how often workers logged an event."""
    broken = [] if findings.is_good else list(findings.examples)
    if fault.asks_nothing_again and findings.asked_again:
        broken.append(f"{findings.asked_again} answers of the provider were asked for again")
    if fault.publishes_nothing_again and findings.raw_duplicates:
        broken.append(f"{findings.raw_duplicates} entries stand in their streams twice")
    if fault.breaks_calls_off and findings.broken_off < kills:
        broken.append(f"{findings.broken_off} calls of the provider were broken off by {kills} deaths")
    broken += [
        f"no worker logged {event}: the fault did not take place" for event in fault.must_log if not logged[event]
    ]
    broken += [f"workers logged {event} {logged[event]} times" for event in _NEVER_LOGGED if logged.get(event)]
    return broken


def judge_times(fault: Fault, findings: Findings, *, slowness: float) -> list[str]:
    """Return which promises about seconds a fault broke.

    They are made for the reference machine; one that is `slowness` times slower has so many times as long.
    """
    late = []
    limit = fault.moves_again_seconds_max
    if limit is not None and findings.moved_again_seconds > limit * slowness:
        late.append(f"moved again after {findings.moved_again_seconds:.1f} s, and {_promised(limit, slowness)}")
    slowest = fault.answers_within_seconds_max
    if slowest is not None and findings.slowest_seconds > slowest * slowness:
        late.append(
            f"a message waited {findings.slowest_seconds:.1f} s for its turn, and {_promised(slowest, slowness)}"
        )
    return late


def _promised(seconds: float, slowness: float) -> str:
    here = f", {seconds * slowness:.0f} s here: this machine is {slowness:.1f} times slower now" if slowness > 1 else ""
    return f"{seconds:g} s are promised{here}"


@asynccontextmanager
async def chaos_on(
    settings: Settings,
    folder: Path,
    options: ChaosOptions,
    *,
    servers: ServerKind = "single",
    beside: Path | None = None,
) -> AsyncIterator[Chaos]:
    """Start servers, a simulated provider, workers behind wires and a gateway in a folder, for the block.

    `beside`: folder with the sources of another release, for which as many slots are opened; its workers log there.
    """
    calls = folder / "calls.jsonl"
    async with AsyncExitStack() as opened:
        running = await opened.enter_async_context(open_servers(folder, servers))
        simulator_url = opened.enter_context(
            run_simulator(["--latency-ms", options.model_latency_ms, "--log", str(calls)])
        )
        ours = settings.model_copy(
            update={
                "state_dir": folder / "stack",
                "database_url": running.database_url,
                "redis_url": running.redis_url,
                "model": "openai:sim",
                "openai_api_key": SecretStr("any"),
                "openai_base_url": simulator_url,
                "model_call_seconds_max": MODEL_CALL_SECONDS_MAX,
            }
        )
        sealer = open_sealer(ours)
        redis = make_redis(ours)
        opened.push_async_callback(redis.aclose)
        gateway = await opened.enter_async_context(Gateway(ours, folder))
        wires_seed = options.seed if running.are_wired else None
        crew_of = partial(open_crew, ours, workers=options.workers, seed=wires_seed)
        crew = await opened.enter_async_context(crew_of(gateway, folder=folder))
        others = await opened.enter_async_context(crew_of(None, folder=beside, sources=beside)) if beside else None
        await asyncio.to_thread(migrate, running.database_url, sealer)  # while the programs load
        crew.fill()
        await crew.wait_ready()
        random = Random(options.seed)  # noqa: S311 - draws faults
        scene = Scene(running, ours, crew, gateway, redis, simulator_url, random, options.kills)
        yield Chaos(scene, options, folder, _find_bookings(running.database_url), others)


def _find_bookings(database_url: str) -> list[BookingAccess]:
    """Find bookings of the sample airline whose seats can be changed."""
    from_day = (datetime.now(UTC) + timedelta(days=3)).date()
    with connect(database_url) as connection:
        rows = connection.execute(load_query("list_changeable"), {"tenant": TENANT, "from_day": from_day}).fetchall()
    return [BookingAccess(row["confirmation_number"], row["given_name"], row["surname"]) for row in rows]
