"""A running worker's loops: none ends of an unforeseen error, and one worker repairs for all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import replace

import pytest
import structlog

from ops.embedded import EmbeddedStack
from runtime.configuration import open_sealer
from runtime.database import Database
from runtime.leadership import Leadership
from runtime.loops import Loop, LoopHealth
from runtime.sealing import Sealer
from schema.settings import Settings
from tests.integration.conftest import migrated
from tests.integration.worker_harness import Harness, MakeHarness
from tests.waiting import eventually
from worker.process.watchdog import forget_still, still_loop

LOOPS = (
    "heartbeat",
    "note_published",
    "hand_on_spans",
    "watchdog",
    "loop_lag",
    "presence",
    "switches",
    "sweep",
    "restore_streams",
    "leadership",
    "reconcile",
    "publish_leftovers",
    "note_collected",
    "refill_groups",
    "trim_streams",
    "trim_spans",
    "trim_guesses",
    "trim_mail_counts",
    "trim_mail_threads",
    "trim_usage",
    "expire",
    "episodes",
    "desk_silence",
    "still",
)
FOR_ALL = {
    "reconcile",
    "publish_leftovers",
    "note_collected",
    "refill_groups",
    "trim_streams",
    "trim_spans",
    "trim_usage",
    "expire",
    "episodes",
}
OFTEN = {
    "renew_seconds": 0.1,
    "lease_seconds": 0.6,
    "sweep_seconds": 0.1,
    "silence_seconds_max": 0.2,
    "reconcile_seconds": 0.1,
    "publish_seconds": 0.1,
    "collected_seconds": 0.1,
    "trim_seconds": 0.1,
}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Give servers of their own: loops work for all tenants, and would repair what other tests left behind."""
    with EmbeddedStack(tmp_path_factory.mktemp("stack"), durable=False) as running:
        yield migrated(running, tmp_path_factory.mktemp("state"))


@pytest.fixture(scope="module")
def sealer(settings: Settings) -> Sealer:
    """Hold the key of that database."""
    return open_sealer(settings)


def health_of(harness: Harness, name: str) -> LoopHealth:
    [health] = [health for health in harness.service.servers.loops.health if health.name == name]
    return health


def start(harness: Harness, *, failing: str | None = None) -> None:
    """Start the loops of a worker's process; the one called `failing` meets an unforeseen error in its first round."""
    loops = harness.service.servers.loops
    begin = loops.start

    def with_fault(given: Sequence[Loop]) -> None:
        given = [
            replace(loop, interval_seconds=0.1) if loop.name == "episodes" else loop for loop in given
        ]  # no setting
        begin([replace(loop, do=_failing_once(loop.do)) if loop.name == failing else loop for loop in given])

    loops.start = with_fault  # type: ignore[method-assign, assignment]
    harness.service.start()
    loops.start([still_loop(60)])


def _failing_once(do: Callable[[], Awaitable[object]]) -> Callable[[], Awaitable[object]]:
    errors = [RuntimeError("unforeseen")]

    async def fail_once() -> object:
        if errors:
            raise errors.pop()
        return await do()

    return fail_once


async def test_the_loops_of_a_worker_are_those_that_are_tested(worker: MakeHarness) -> None:
    harness = await worker()
    start(harness)

    assert [health.name for health in harness.service.servers.loops.health] == list(LOOPS)
    forget_still()


@pytest.mark.parametrize("name", LOOPS)
async def test_no_loop_of_a_worker_ends_of_an_unforeseen_error(worker: MakeHarness, name: str) -> None:
    harness = await worker(**OFTEN)
    number = 0

    async def goes_on() -> bool:
        nonlocal number
        number += 1
        await harness.accept(f"c-{number}", "hello")  # what there is to publish
        health = health_of(harness, name)
        return health.failures == 1 and health.last_success_at is not None

    with structlog.testing.capture_logs() as logs:
        start(harness, failing=name)
        await eventually(goes_on, within_seconds=20)
    forget_still()

    failed = [(entry["loop"], str(entry["exc_info"])) for entry in logs if entry["event"] == "loop.failed"]
    assert failed == [(name, "unforeseen")]
    assert health_of(harness, name).runs > 1


async def test_a_heartbeat_that_met_an_unforeseen_error_keeps_the_leases_of_its_turns(
    worker: MakeHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    thinking, go_on = asyncio.Event(), asyncio.Event()

    async def think(text: str) -> str:
        thinking.set()
        await go_on.wait()
        return text

    harness = await worker(think, renew_seconds=0.1, lease_seconds=0.6)
    other = await worker(renew_seconds=0.1, lease_seconds=0.6)
    renew = harness.mailbox.renew
    errors = [RuntimeError("unforeseen")]

    async def fail_once(leases: object) -> object:
        if errors:
            raise errors.pop()
        return await renew(leases)  # type: ignore[arg-type]

    monkeypatch.setattr(harness.mailbox, "renew", fail_once)
    harness.service.servers.loops.start([harness.service.heartbeat.loop()])
    await harness.accept("c", "hello")
    under_way = asyncio.create_task(harness.drain("c"))
    await thinking.wait()

    async def renewed_for_two_leases() -> bool:
        return health_of(harness, "heartbeat").runs >= 15

    await eventually(renewed_for_two_leases)
    seen_by_another = await other.mailbox.acquire(harness.key("c"))
    go_on.set()
    await under_way

    assert (errors, seen_by_another) == ([], "busy")
    assert len(await harness.replies()) == 1


async def test_of_two_workers_one_repairs_for_all_and_the_other_when_that_one_is_gone(worker: MakeHarness) -> None:
    first, second = await worker(**OFTEN), await worker(**OFTEN)
    harnesses = {True: first, False: second}

    async def one_leads() -> bool:
        return any(health_of(first, name).runs for name in FOR_ALL) or any(
            health_of(second, name).runs for name in FOR_ALL
        )

    start(first)
    start(second)
    await eventually(one_leads)
    leader = harnesses[first.service.rescue.leadership.is_held()]
    other = second if leader is first else first

    async def all_done(harness: Harness) -> bool:
        return all(health_of(harness, name).runs > 1 for name in (*FOR_ALL, "sweep"))

    async def done_by_the_leader() -> bool:
        return await all_done(leader)

    async def done_by_the_other() -> bool:
        return await all_done(other)

    await eventually(done_by_the_leader)
    idle = {name: health_of(other, name).runs for name in FOR_ALL}
    swept = health_of(other, "sweep").runs
    await leader.close()
    await eventually(done_by_the_other)
    forget_still()

    assert set(idle.values()) == {0}
    assert swept > 0


@pytest.fixture
async def databases(settings: Settings) -> AsyncIterator[list[Database]]:
    made = [Database(settings), Database(settings)]
    for database in made:
        await database.open()
    yield made
    for database in made:
        await database.close()


async def test_leadership_passes_on_when_its_connection_is_cut_and_the_loser_knows(databases: list[Database]) -> None:
    first, second = map(Leadership, databases)
    await first.campaign()
    await second.campaign()
    before = (first.is_held(), second.is_held())

    holding = first._holding  # noqa: SLF001 - the wire that is cut
    assert holding is not None
    async with databases[1].transaction("*") as transaction:
        await transaction.connection.execute("RESET ROLE")
        await transaction.connection.execute("SELECT pg_terminate_backend(%s)", [holding.info.backend_pid])

    async def taken() -> bool:
        await second.campaign()
        return second.is_held()

    await eventually(taken)
    with pytest.raises(Exception, match=r"terminat|closed|connection"):
        await first.campaign()
    await first.campaign()

    assert before == (True, False)
    assert (first.is_held(), second.is_held()) == (False, True)
    await second.resign()
