"""Promises to those who wait: a share for every tenant, and nobody overlooked; on real servers."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import textwrap

import structlog

from tests.integration.worker_harness import MakeHarness
from tests.waiting import eventually


async def test_a_tenant_with_many_conversations_leaves_slots_to_others_and_its_own_follow_without_a_bell(
    worker: MakeHarness,
) -> None:
    thinking, go_on = asyncio.Semaphore(0), asyncio.Event()

    async def think(text: str) -> str:
        thinking.release()
        await go_on.wait()
        return text

    harness = await worker(think, concurrency=4, tenant_share_max=0.5)
    harness.service.drainer.slots.tenants = 2
    for number in range(6):
        await harness.accept(f"c-{number}", "hello")
    drains = [asyncio.create_task(harness.drain(f"c-{number}")) for number in range(6)]
    for _ in range(2):
        await thinking.acquire()

    async with asyncio.timeout(5):  # what is put off holds up no thread
        await asyncio.gather(*drains[2:])
    asked_at_first = len(harness.model.asked)
    free_slots = harness.service.drainer.free_slots
    go_on.set()

    async def all_answered() -> bool:
        return len(await harness.replies()) == 6

    await eventually(all_answered)
    assert (asked_at_first, free_slots) == (2, 2)


async def test_no_more_turns_are_under_way_than_slots_whoever_starts_them(worker: MakeHarness) -> None:
    thinking, most, go_on = 0, 0, asyncio.Event()

    async def think(text: str) -> str:
        nonlocal thinking, most
        thinking += 1
        most = max(most, thinking)
        await go_on.wait()
        thinking -= 1
        return text

    slots = 4
    harness = await worker(think, concurrency=slots, bell_seconds=0.001)
    for number in range(3 * slots):
        await harness.accept(f"c-{number}", "hello")

    async def rescue_has_filled_all() -> bool:
        await harness.service.rescue.sweep()
        return thinking == slots

    await eventually(rescue_has_filled_all)
    keys = [harness.key(f"c-{number}") for number in range(3 * slots)]
    threads = [asyncio.create_task(harness.service.drainer.drain(key)) for key in keys]  # Celery's, all busy

    async def all_wait() -> bool:
        await harness.service.rescue.sweep()
        return harness.service.drainer.slots.waiting >= len(threads)

    await eventually(all_wait)
    leased = len(harness.service.heartbeat.tasks())
    go_on.set()
    await asyncio.gather(*threads)

    async def all_answered() -> bool:
        await harness.service.rescue.sweep()
        return len(await harness.replies()) == 3 * slots

    await eventually(all_answered)
    assert (most, leased) == (slots, slots)


async def test_what_waits_for_a_slot_is_anothers_to_answer_and_ends_with_its_process(worker: MakeHarness) -> None:
    thinking, go_on = asyncio.Event(), asyncio.Event()

    async def think(text: str) -> str:
        thinking.set()
        await go_on.wait()
        return text

    full, other = await worker(think, concurrency=1), await worker()
    await full.accept("busy", "hello")
    await full.accept("c", "hello")
    under_way = asyncio.create_task(full.drain("busy"))
    await thinking.wait()
    waiting = asyncio.create_task(full.drain("c"))

    await other.drain("c")
    answered = len(await full.replies())
    full.service.begin_stop()
    async with asyncio.timeout(5):
        await waiting  # while the turn in the way is still under way
    go_on.set()
    await under_way

    assert answered == 1
    assert len(full.model.asked) == 1


async def test_conversations_that_nobody_takes_up_are_noticed_and_answered(worker: MakeHarness) -> None:
    harness = await worker(bell_seconds=0.01, silence_seconds_max=0.02)
    await harness.accept("c", "hello")

    async def answered() -> bool:
        await harness.service.watchdog.look()  # what other tests left behind is overdue as well, and taken up too
        return len(await harness.replies()) == 1

    with structlog.testing.capture_logs() as logs:
        await eventually(answered)

    assert {entry["event"] for entry in logs if entry["log_level"] == "error"} == {"watchdog.silence"}
    assert harness.service.watchdog.silences >= 1


async def test_what_waits_while_all_slots_are_taken_is_no_silence(worker: MakeHarness) -> None:
    thinking, go_on = asyncio.Event(), asyncio.Event()

    async def think(text: str) -> str:
        thinking.set()
        await go_on.wait()
        return text

    harness = await worker(think, bell_seconds=0.01, silence_seconds_max=0.01, concurrency=1)
    await harness.accept("busy", "hello")
    await harness.accept("c", "hello")
    under_way = asyncio.create_task(harness.drain("busy"))
    await thinking.wait()

    async def overdue() -> bool:
        return await harness.mailbox.count_overdue(0.01) > 0

    await eventually(overdue)
    assert await harness.service.watchdog.look() == 0
    go_on.set()
    await under_way


def test_a_process_whose_loop_stands_still_ends_and_says_where() -> None:
    program = """
        import asyncio, time
        from runtime.loops import Loops
        from runtime.outage import Outages
        from schema.settings import Settings
        from worker.process.watchdog import still_loop

        async def main():
            loops = Loops(Outages(Settings()))
            loops.start([still_loop(0.5)])
            await asyncio.sleep(1)  # a loop that runs is left alone
            print("alive", flush=True)
            time.sleep(30)

        asyncio.run(main())
    """

    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, timeout=20, check=False
    )

    assert ended.stdout == "alive\n"
    assert ended.returncode == 1
    assert "in main" in ended.stderr
