"""Worker faults: workers killed, frozen, stopped, cut off and given messages that kill."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

from schema.ids import ConversationKey
from schema.keys import mailbox_keys

if TYPE_CHECKING:
    from ops.lab.chaos.scene import Scene

FROZEN_LEASES = 3
FREEZES_MAX = 10
"""How often to try to freeze a worker in the middle of a turn."""

SLOWED_CALLS = 12
SLOWED_SECONDS = 3
"""Long enough that turns are under way when a worker is frozen."""

LATE_CALLS = 1_000
LATE_SECONDS = 5
"""Two calls take longer than a lease, and each less than its time limit."""


KILLED_APART = 4
APART_SECONDS = 3
"""In addition to a lease: conversations that one death delays move again before the next."""


async def kill_workers_apart(scene: Scene) -> None:
    """Kill workers one at a time, each after recovery from the last: the delay of one death is measured."""
    for _ in range(KILLED_APART):
        await scene.pause(0, 1)
        await scene.kill(scene.random.choice(scene.mortals))
        await asyncio.sleep(scene.settings.lease_seconds + APART_SECONDS)


async def kill_workers(scene: Scene) -> None:
    """Kill one worker after the other, as the kernel does when memory runs out."""
    killed = 0
    while killed < scene.kills:
        await scene.pause(0.4, 1.2)
        await scene.kill(scene.random.choice(scene.mortals))
        killed += 1


async def kill_all_workers(scene: Scene) -> None:
    """Kill all workers in one moment, three times."""
    for _ in range(3):
        await scene.pause(1, 2)
        scene.note()
        for slot in scene.workers:
            slot.send(signal.SIGKILL)
        await scene.crew.wait_ready()
        await scene.pause(2)


async def freeze_a_worker(scene: Scene) -> None:
    """Freeze a worker for three leases and thaw it: its conversations have another worker by then."""
    await scene.script_provider({"kind": "slow", "requests": SLOWED_CALLS, "seconds": SLOWED_SECONDS})
    await scene.pause(0.5)
    slot = scene.random.choice(scene.workers)
    for _ in range(FREEZES_MAX):
        await scene.until_ready(slot)
        scene.note()
        slot.send(signal.SIGSTOP)
        before = await scene.read_leases()
        await asyncio.sleep(scene.settings.renew_seconds + 0.5)
        if before.items() & (await scene.read_leases()).items():  # not renewed meanwhile: they are this worker's
            break
        slot.send(signal.SIGCONT)
        slot = scene.random.choice(scene.workers)
    await asyncio.sleep(FROZEN_LEASES * scene.settings.lease_seconds - scene.settings.renew_seconds)
    slot.send(signal.SIGCONT)
    scene.note()


async def answer_late(scene: Scene) -> None:
    """Cut a worker off from Redis during slow model calls: when it gets their answers, another has taken over."""
    slot = scene.random.choice(scene.workers)
    await scene.until_ready(slot)
    await scene.script_provider({"kind": "slow", "requests": LATE_CALLS, "seconds": LATE_SECONDS})
    await scene.pause(1)
    slot.redis.part()
    await asyncio.sleep(scene.settings.lease_seconds)
    await scene.script_provider()  # the worker that takes over gets normal answers
    scene.note()
    await asyncio.sleep(scene.settings.lease_seconds)
    slot.redis.heal()
    scene.note()


async def stop_workers_in_turn(scene: Scene) -> None:
    """Stop every worker cleanly, one after the other, as a deployment does."""
    for slot in scene.mortals:
        await scene.until_ready(slot)
        scene.note()
        slot.send(signal.SIGTERM)
        await scene.until_gone(slot)
        await scene.until_ready(slot)


async def poison(scene: Scene) -> None:
    """Make one conversation's first message kill every worker that tries it, and put garbage into two mailboxes."""
    for slot in scene.workers:
        slot.failpoint = f"guard.done={scene.run}-1"
    for number in (2, 3):
        keys = mailbox_keys(ConversationKey("default", f"{scene.run}-{number}"), scene.settings.partitions)
        await scene.redis.lpush(keys.mailbox, b"\xff\xfe no envelope", b'{"version": 99}')
        await scene.redis.zadd(keys.agenda, {f"default:{scene.run}-{number}": 0})
    for slot in scene.workers:  # those that run were started without the failpoint
        await scene.kill(slot)
    deaths = scene.crew.deaths
    await scene.until(lambda: scene.crew.deaths >= deaths + scene.settings.attempts_max, 60)
    for slot in scene.workers:
        slot.failpoint = None
    scene.note()
