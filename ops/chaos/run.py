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

from ops.chaos.audit import Evidence, Findings, audit, read_database, read_log
from ops.chaos.load import TENANT, Gateway, Plan
from ops.chaos.scene import Scene
from ops.chaos.workers import open_posts
from ops.embedded import EmbeddedStack
from ops.llm_sim.child import run_simulator
from ops.migrate import migrate
from ops.runtime.configuration import open_sealer
from ops.runtime.database import connect
from ops.runtime.redis import make_redis
from producer.load.scripts import Booking
from schema.resources import load_query

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from ops.chaos.faults import Fault
    from ops.chaos.workers import Workers
    from schema.settings import Settings

ANSWERED_BEFORE = 8
"""Messages that are answered before the fault begins."""

MODEL_CALL_SECONDS_MAX = 6.0
"""How long workers wait for the provider, who hangs in some rows: the default would make each of them a minute."""

START_SECONDS_MAX = 20.0
QUIET_SECONDS_MAX = 20.0

_NEVER_LOGGED = ("turn.failed_bug", "rescue.failed")
"""What a worker logs about an error that nobody has thought of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChaosOptions:
    """Say how much happens in one row."""

    workers: int = 3
    conversations: int = 30
    turns: int = 4
    messages_per_second: float = 8.0
    model_latency_ms: str = "100..400"
    kills: int = 25
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Row:
    """Hold one fault's outcome."""

    fault: Fault
    findings: Findings
    kills: int
    seconds: float
    broken: tuple[str, ...]
    """What was not as promised, in words."""


class Chaos:
    """Hold a stack that is up, and run faults on it."""

    def __init__(
        self,
        scene: Scene,
        options: ChaosOptions,
        folder: Path,
        bookings: list[Booking],
        beside: Workers | None,
    ) -> None:
        self.beside = beside
        """Posts for workers of another release, empty until a fault fills them."""
        self._scene = scene
        self._options = options
        self._folder = folder
        self._bookings = bookings
        self._runs = 0

    @property
    def settings(self) -> Settings:
        """Give the settings that lead to its servers."""
        return self._scene.settings

    async def run(self, fault: Fault) -> Row:
        """Run one fault under load and audit it."""
        scene = self._scene
        started, deaths = time.monotonic(), scene.workers.deaths
        self._runs += 1
        plan = self._plan(fault)
        scene.run, scene.moments = plan.run, []
        marks = {log: log.stat().st_size for log in (*self._logs, *(post.log for post in scene.workers.posts))}
        scene.log_starts = marks
        await self._play(plan, fault)
        findings = await asyncio.to_thread(audit, self._gather(plan, marks))
        kills = scene.workers.deaths - deaths
        events = (*_NEVER_LOGGED, *fault.must_log)
        broken = tuple(judge(fault, findings, {event: scene.logged(event) for event in events}))
        return Row(fault, findings, kills, time.monotonic() - started, broken)

    async def _play(self, plan: Plan, fault: Fault) -> None:
        scene = self._scene
        before = scene.gateway.answered
        scene.is_sending = True
        enough = asyncio.Event()
        playing = asyncio.create_task(scene.gateway.play(plan, enough))
        try:
            await scene.until(lambda: scene.gateway.answered >= before + ANSWERED_BEFORE, START_SECONDS_MAX)
            acting = asyncio.create_task(fault.act(scene))
            if fault.load_goes_on:
                acting.add_done_callback(lambda _: enough.set())
            await playing
            scene.is_sending = False
            await acting
            await scene.gateway.wait_for_answers(plan.silence_seconds_max)
        finally:
            scene.is_sending = False
            playing.cancel()
            await scene.restore()
        await scene.workers.wait_ready()
        await self._wait_until_published(plan)

    async def _wait_until_published(self, plan: Plan) -> None:
        """Wait until what has to go out is noted as out: escalations may follow the last reply."""
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
        least = math.ceil(fault.seconds * options.messages_per_second / options.turns)
        conversations = max(options.conversations, least)
        count = conversations // 3
        first = self._runs * count
        bookings = [self._bookings[place % len(self._bookings)] for place in range(first, first + count)]
        return Plan(
            run=f"chaos-{options.seed}-{self._runs}-{fault.name.lower()}",
            conversations=conversations,
            turns=options.turns,
            messages_per_second=options.messages_per_second,
            seed=options.seed + self._runs,
            bookings=tuple(bookings),
            copies=fault.copies,
        )

    @property
    def _logs(self) -> tuple[Path, Path, Path, Path]:
        folder = self._folder
        return folder / "ledger.jsonl", folder / "outbound.jsonl", folder / "raw.jsonl", folder / "calls.jsonl"

    def _gather(self, plan: Plan, marks: dict[Path, int]) -> Evidence:
        ledger, outbound, raw, calls = (read_log(log, marks[log]) for log in self._logs)
        mine = f"{plan.run}-"
        return Evidence(
            ledger=[line for line in ledger if line["conversation"].startswith(mine)],
            outbound=[line for line in outbound if line["conversation"].startswith(mine)],
            raw=[line for line in raw if line["conversation"].startswith(mine)],
            calls=calls,
            moments=list(self._scene.moments),
            **read_database(self._scene.settings.database_url or "", plan.run),
        )


def judge(fault: Fault, findings: Findings, logged: dict[str, int]) -> list[str]:
    """Say what of a fault's outcome was not as promised; `logged`: how often workers logged an event."""
    broken = [] if findings.is_good else list(findings.examples)
    limit = fault.moves_again_seconds_max
    if limit is not None and findings.moved_again_seconds > limit:
        broken.append(f"moved again after {findings.moved_again_seconds:.1f} s, and {limit:g} s are promised")
    if fault.asks_nothing_again and findings.asked_again:
        broken.append(f"{findings.asked_again} answers of the provider were asked for again")
    broken += [
        f"no worker logged {event}: the fault did not take place" for event in fault.must_log if not logged[event]
    ]
    broken += [f"workers logged {event} {logged[event]} times" for event in _NEVER_LOGGED if logged.get(event)]
    return broken


@asynccontextmanager
async def chaos_on(
    settings: Settings, folder: Path, options: ChaosOptions, *, beside: Path | None = None
) -> AsyncIterator[Chaos]:
    """Start servers, a simulated provider, workers behind wires and a gateway in a folder, for the block.

    `beside`: where the sources of another release stand, for which there shall be as many posts; its workers log there.
    """
    calls = folder / "calls.jsonl"
    with (
        EmbeddedStack(folder / "stack") as stack,
        run_simulator(["--latency-ms", options.model_latency_ms, "--log", str(calls)]) as simulator_url,
    ):
        ours = settings.model_copy(
            update={
                "state_dir": folder / "stack",
                "database_url": stack.addresses.database_url,
                "redis_url": stack.addresses.redis_url,
                "model": "openai:sim",
                "openai_api_key": SecretStr("any"),
                "openai_base_url": simulator_url,
                "model_call_seconds_max": MODEL_CALL_SECONDS_MAX,
            }
        )
        sealer = open_sealer(ours)
        redis = make_redis(ours)
        async with AsyncExitStack() as opened:
            posts = partial(open_posts, ours, count=options.workers, seed=options.seed)
            workers = await opened.enter_async_context(posts(folder=folder))
            others = await opened.enter_async_context(posts(folder=beside, sources=beside)) if beside else None
            await asyncio.to_thread(migrate, stack.addresses.database_url, sealer)  # while the workers' programs load
            workers.fill()
            await workers.wait_ready()
            gateway = await opened.enter_async_context(Gateway(ours, folder))
            random = Random(options.seed)  # noqa: S311 - draws faults
            scene = Scene(stack, ours, workers, gateway, redis, simulator_url, random, options.kills)
            yield Chaos(scene, options, folder, _find_bookings(stack.addresses.database_url), others)
        await redis.aclose()


def _find_bookings(database_url: str) -> list[Booking]:
    """Find bookings of the sample airline whose seats can be changed."""
    from_day = (datetime.now(UTC) + timedelta(days=3)).date()
    with connect(database_url) as connection:
        rows = connection.execute(load_query("list_changeable"), {"tenant": TENANT, "from_day": from_day}).fetchall()
    return [Booking(row["confirmation_number"], row["given_name"], row["surname"]) for row in rows]
