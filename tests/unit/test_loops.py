"""A process's loops: no error ends one, an outage is said once, and what is known of each can be read."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import structlog
from psycopg import OperationalError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError

from runtime.loops import Loop, LoopHealth, Loops, RoundMissed
from runtime.outage import Outages
from schema.settings import Settings
from tests.waiting import eventually

SOON = 0.01


class Rounds:
    """A loop's work: raises what is told for its first rounds, and counts them."""

    def __init__(self, *raised: BaseException) -> None:
        self._raised = list(raised)
        self.begun: list[float] = []

    async def do(self) -> None:
        self.begun.append(time.monotonic())
        if self._raised:
            raise self._raised.pop(0)

    def at_least(self, count: int) -> Callable[[], Awaitable[bool]]:
        async def reached() -> bool:
            return len(self.begun) >= count

        return reached


@pytest.fixture
def outages() -> Outages:
    return Outages(Settings())


@pytest.fixture
async def loops(outages: Outages) -> AsyncIterator[Loops]:
    made = Loops(outages)
    yield made
    await made.stop()


def health_of(loops: Loops, name: str) -> LoopHealth:
    [health] = [health for health in loops.health if health.name == name]
    return health


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("unforeseen"),
        AssertionError("unforeseen"),
        ResponseError("ERR user_script: a bug"),
        asyncio.CancelledError("of something that the round waited for"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_an_unforeseen_error_is_logged_with_its_trace_and_the_loop_goes_on(
    loops: Loops, error: BaseException
) -> None:
    rounds = Rounds(error)

    with structlog.testing.capture_logs() as logs:
        loops.start([Loop("work", rounds.do, SOON)])
        await eventually(rounds.at_least(3))

    assert [(entry["event"], entry["loop"], entry["exc_info"]) for entry in logs] == [("loop.failed", "work", error)]
    health = health_of(loops, "work")
    assert (health.failures, health.failures_in_a_row) == (1, 0)
    assert health.runs >= 2


async def test_the_pause_doubles_from_failure_to_failure_and_is_forgotten_after_a_success(loops: Loops) -> None:
    rounds = Rounds(*(RuntimeError() for _ in range(4)))

    with structlog.testing.capture_logs() as logs:
        loops.start([Loop("work", rounds.do, 0.05)])
        await eventually(rounds.at_least(6))

    pauses = [later - earlier for earlier, later in zip(rounds.begun, rounds.begun[1:], strict=False)]
    assert [entry["pause_seconds"] for entry in logs] == [0.1, 0.1, 0.2, 0.4]
    assert pauses[3] >= 0.4 * 0.7
    assert health_of(loops, "work").failures_in_a_row == 0


async def test_a_loop_whose_rounds_may_never_be_late_pauses_no_longer_than_its_interval(loops: Loops) -> None:
    rounds = Rounds(*(RuntimeError() for _ in range(8)))

    with structlog.testing.capture_logs() as logs:
        loops.start([Loop("work", rounds.do, SOON, backoff_seconds_max=0)])
        await eventually(rounds.at_least(9))

    assert {entry["pause_seconds"] for entry in logs} == {0.0}


@pytest.mark.parametrize(
    ("error", "server"),
    [
        (RedisConnectionError(), "redis"),
        (ResponseError("MISCONF the disk is full"), "redis"),
        (ConnectionResetError(), "redis"),
        (OperationalError(), "postgresql"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
async def test_an_outage_is_said_once_for_all_loops_and_its_end_once(
    loops: Loops, outages: Outages, error: BaseException, server: str
) -> None:
    asks = getattr(outages, server)
    works = [Rounds(*[error] * 3) for _ in range(3)]

    with structlog.testing.capture_logs() as logs:
        loops.start([Loop(f"work-{number}", work.do, SOON, asks=asks) for number, work in enumerate(works)])
        for work in works:
            await eventually(work.at_least(5))

    said = [entry["event"] for entry in logs]
    assert said[0] == f"{server}.unreachable"
    assert said.count(f"{server}.unreachable") == said.count(f"{server}.reachable")  # each begins and ends in turn
    assert set(said) == {f"{server}.unreachable", f"{server}.reachable"}
    assert [health_of(loops, f"work-{number}").failures for number in range(3)] == [3, 3, 3]


async def test_what_follows_an_outage_is_done_once_and_not_after_other_errors(loops: Loops) -> None:
    after = Rounds()
    rounds = Rounds(RedisConnectionError(), RedisConnectionError(), RuntimeError())

    loops.start([Loop("work", rounds.do, SOON, after_outage=after.do)])
    await eventually(rounds.at_least(6))

    assert len(after.begun) == 1


async def test_a_loop_whose_task_somebody_ends_is_begun_anew_and_heard(loops: Loops) -> None:
    rounds = Rounds()
    loops.start([Loop("work", rounds.do, SOON)])
    await eventually(rounds.at_least(1))

    with structlog.testing.capture_logs() as logs:
        [task] = [task for task in asyncio.all_tasks() if task.get_name() == "work"]
        task.cancel()
        await eventually(rounds.at_least(len(rounds.begun) + 2))

    assert [(entry["event"], entry["log_level"]) for entry in logs] == [("loop.ended", "error")]
    assert health_of(loops, "work").failures == 1


async def test_a_wait_that_fails_neither_ends_the_loop_nor_makes_it_spin(loops: Loops) -> None:
    rounds, waits = Rounds(), Rounds(*(RuntimeError() for _ in range(3)))

    async def wait(_seconds: float) -> None:
        await waits.do()
        await asyncio.sleep(SOON)

    with structlog.testing.capture_logs() as logs:
        loops.start([Loop("work", rounds.do, SOON, wait=wait)])
        await eventually(rounds.at_least(2))

    assert [entry["event"] for entry in logs] == ["loop.failed"] * 3


async def test_a_round_that_is_anothers_to_do_is_left_and_counts_as_neither(loops: Loops) -> None:
    rounds, asked = Rounds(), Rounds()
    duty: list[bool] = []

    def on_duty() -> bool:
        asked.begun.append(0)
        return bool(duty)

    loops.start([Loop("work", rounds.do, SOON, on_duty=on_duty)])
    await eventually(asked.at_least(3))
    before = (len(rounds.begun), health_of(loops, "work").runs, health_of(loops, "work").last_success_at)
    duty.append(True)
    await eventually(rounds.at_least(1))

    assert before == (0, 0, None)


async def test_a_missed_round_counts_and_is_not_said_again(loops: Loops) -> None:
    rounds = Rounds(RoundMissed())

    with structlog.testing.capture_logs() as logs:
        loops.start([Loop("work", rounds.do, SOON)])
        await eventually(rounds.at_least(2))

    assert logs == []
    assert health_of(loops, "work").failures == 1


async def test_the_time_of_the_last_success_is_monotonic_and_stays_while_rounds_fail(loops: Loops) -> None:
    fail: list[Any] = []

    async def do() -> None:
        if fail:
            raise RuntimeError

    async def fails() -> bool:
        return health_of(loops, "work").failures_in_a_row > 1

    before = time.monotonic()
    loops.start([Loop("work", do, SOON, backoff_seconds_max=0)])

    async def succeeded() -> bool:
        return health_of(loops, "work").last_success_at is not None

    await eventually(succeeded)
    fail.append(True)
    await eventually(fails)

    last = health_of(loops, "work").last_success_at
    assert last is not None
    assert before <= last <= time.monotonic()
    await eventually(fails)
    assert health_of(loops, "work").last_success_at == last


async def test_two_loops_of_one_name_are_refused(loops: Loops) -> None:
    loops.start([Loop("work", Rounds().do, SOON)])

    with pytest.raises(ValueError, match="work"):
        loops.start([Loop("work", Rounds().do, SOON)])


async def test_a_loop_that_is_stopped_begins_no_more() -> None:
    loops = Loops(Outages(Settings()))
    rounds = Rounds()
    loops.start([Loop("work", rounds.do, SOON)])
    await eventually(rounds.at_least(1))

    await loops.stop()

    assert "work" not in {task.get_name() for task in asyncio.all_tasks()}
