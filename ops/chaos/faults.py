"""Name the faults and do them: each a function that breaks something while a load runs, and leaves it healed."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ops.chaos.crashes import crash_faults
from ops.chaos.scene import Scene
from schema.ids import ConversationKey
from schema.keys import mailbox_keys
from schema.tasks import DOORBELL_QUEUE

if TYPE_CHECKING:
    from ops.chaos.wires import Wire

Act = Callable[[Scene], Coroutine[Any, Any, None]]

FROZEN_LEASES = 3
FREEZES_MAX = 10
"""How often to try to freeze a worker in the middle of a turn."""

SLOWED_CALLS = 12
SLOWED_SECONDS = 3
"""So that there are turns to be in the middle of."""

OUTAGE_SECONDS = 2.0
LONG_OUTAGE_SECONDS = 10.0
WIRE_BREAKS = 24


@dataclass(frozen=True, slots=True)
class Fault:
    """Describe one fault of the matrix."""

    name: str
    title: str
    act: Act
    moves_again_seconds_max: float | None
    """From each noted moment until every conversation that waited then has had a turn; None: nothing to hold it to."""
    copies: int = 0
    """How often each message is sent again."""
    must_log: tuple[str, ...] = ()
    """The events without which the fault has not taken place."""
    asks_nothing_again: bool = False
    """Nothing that has been asked may have to be asked again."""
    seconds: float = 0.0
    """How long the load lasts at least."""
    load_goes_on: bool = False
    """The load ends with the fault, however long that takes, or when there is no more to send."""


async def no_fault(scene: Scene) -> None:
    """Break nothing: what the other rows compare with."""
    scene.note()


async def kill_a_worker(scene: Scene) -> None:
    """Kill one worker after the other, as the kernel does when memory runs out."""
    killed = 0
    while killed < scene.kills:
        await scene.pause(0.4, 1.2)
        await scene.kill(scene.random.choice(scene.workers.posts))
        killed += 1


async def kill_all_workers(scene: Scene) -> None:
    """Kill all workers in one moment, three times."""
    for _ in range(3):
        await scene.pause(1, 2)
        scene.note()
        for post in scene.workers.posts:
            post.send(signal.SIGKILL)
        await scene.workers.wait_ready()
        await scene.pause(2)


async def freeze_a_worker(scene: Scene) -> None:
    """Stop a worker for three leases, and let it go on: what it still wants to commit is another's by then."""
    await scene.script_provider({"kind": "slow", "requests": SLOWED_CALLS, "seconds": SLOWED_SECONDS})
    await scene.pause(0.5)
    post = scene.random.choice(scene.workers.posts)
    for _ in range(FREEZES_MAX):
        await scene.until_ready(post)
        scene.note()
        post.send(signal.SIGSTOP)
        before = await scene.read_leases()
        await asyncio.sleep(scene.settings.renew_seconds + 0.5)
        if before.items() & (await scene.read_leases()).items():  # nobody has renewed them: they are its own
            break
        post.send(signal.SIGCONT)
        post = scene.random.choice(scene.workers.posts)
    await asyncio.sleep(FROZEN_LEASES * scene.settings.lease_seconds - scene.settings.renew_seconds)
    post.send(signal.SIGCONT)
    scene.note()


async def stop_workers_in_turn(scene: Scene) -> None:
    """Tell every worker to stop, one after the other, as a deployment does."""
    for post in scene.workers.posts:
        await scene.until_ready(post)
        scene.note()
        post.send(signal.SIGTERM)
        await scene.until_gone(post)
        await scene.until_ready(post)


async def restart_redis(scene: Scene) -> None:
    """Kill Redis and start it again, twice."""
    for _ in range(2):
        await scene.pause(1, 2)
        await scene.until_moved()
        await asyncio.to_thread(scene.stack.kill_redis)
        await asyncio.sleep(OUTAGE_SECONDS)
        await asyncio.to_thread(scene.stack.start_redis)
        scene.note()


async def restart_redis_late(scene: Scene) -> None:
    """Kill Redis, and start it again much later: whoever waits longer each time waits longest now."""
    await asyncio.to_thread(scene.stack.kill_redis)
    await asyncio.sleep(LONG_OUTAGE_SECONDS)
    await asyncio.to_thread(scene.stack.start_redis)
    scene.note()


async def freeze_redis(scene: Scene) -> None:
    """Stop Redis for longer than a lease."""
    await scene.freeze(scene.stack.redis_pid, scene.settings.lease_seconds + 2)
    scene.note()


async def forget_a_second(scene: Scene) -> None:
    """Kill Redis, and take away what it wrote in its last second, as a loss of power does."""
    log = scene.stack.state_dir / "redis" / "appendonly.aof"
    await scene.pause(1, 2)
    kept_bytes = log.stat().st_size
    await asyncio.sleep(1.0)
    await asyncio.to_thread(scene.stack.kill_redis)
    with log.open("r+b") as stream:
        stream.truncate(kept_bytes)
    await asyncio.to_thread(scene.stack.start_redis)
    scene.note()


async def empty_redis(scene: Scene) -> None:
    """Empty Redis, twice."""
    for _ in range(2):
        await scene.pause(1, 2)
        await scene.redis.flushall()
        scene.note()
        await scene.pause(3)


async def fill_redis(scene: Scene) -> None:
    """Leave Redis no memory for a while."""
    before = await scene.redis.config_get("maxmemory")
    await scene.redis.config_set("maxmemory", 1)
    await asyncio.sleep(4)
    await scene.redis.config_set("maxmemory", str(before["maxmemory"]))
    scene.note()


async def restart_postgres(scene: Scene) -> None:
    """Take PostgreSQL down in the middle of its transactions, and start it again, twice."""
    for _ in range(2):
        await scene.pause(1, 2)
        await scene.until_moved()
        await asyncio.to_thread(scene.stack.kill_postgres)
        await asyncio.sleep(OUTAGE_SECONDS)
        await asyncio.to_thread(scene.stack.start_postgres)
        scene.note()


async def freeze_postgres(scene: Scene) -> None:
    """Stop PostgreSQL for a while."""
    await scene.freeze(scene.stack.postgres_pid, LONG_OUTAGE_SECONDS)
    scene.note()


async def slow_wires(scene: Scene) -> None:
    """Make every wire slow, and lose one chunk in a thousand with its connection."""
    for wire in scene.wires:
        wire.latency_seconds, wire.resets = 0.05, 0.001
    await scene.until(lambda: not scene.is_sending, 20)
    for wire in scene.wires:
        wire.heal()
    scene.note()


async def half_open_wires(scene: Scene) -> None:
    """Let every connection that workers have hear nothing any more, and tell nobody."""
    await scene.pause(1, 2)
    for wire in scene.wires:
        wire.swallow()
    scene.note()
    await scene.pause(2)


async def lose_answers(scene: Scene) -> None:
    """Let servers do what they are asked, and cut the wire before they can say so."""
    broken = 0
    while broken < WIRE_BREAKS:
        post = scene.random.choice(scene.workers.posts)
        wire: Wire = scene.random.choice((post.redis, post.postgres))
        wire.loses_answers = 0.2
        await _until_cut(scene, wire)
        wire.loses_answers = 0.0
        broken += 1
        await scene.pause(0.1, 0.4)
    scene.note()


async def _until_cut(scene: Scene, wire: Wire) -> None:
    before = wire.cuts
    await scene.until(lambda: wire.cuts > before, 1.0)


async def part_from_redis(scene: Scene) -> None:
    """Part one worker from Redis and not from PostgreSQL, for two leases."""
    await _part(scene, scene.random.choice(scene.workers.posts).redis)


async def part_from_postgres(scene: Scene) -> None:
    """Part one worker from PostgreSQL and not from Redis, for two leases."""
    await _part(scene, scene.random.choice(scene.workers.posts).postgres)


async def _part(scene: Scene, wire: Wire) -> None:
    await scene.pause(1, 2)
    scene.note()
    wire.part()
    await asyncio.sleep(2 * scene.settings.lease_seconds)
    wire.heal()
    scene.note()


async def slow_provider(scene: Scene) -> None:
    """Let the provider hang, and answer after everybody has given up."""
    late = scene.settings.model_call_seconds_max + 1
    for _ in range(3):
        await scene.script_provider({"kind": "hang", "requests": 2}, {"kind": "slow", "requests": 2, "seconds": late})
        scene.note()
        await scene.pause(3)


async def failing_provider(scene: Scene) -> None:
    """Let the provider refuse, fail, cut answers off and answer nonsense."""
    for kind in ("429", "500", "cut", "malformed_arguments", "503", "unknown_tool"):
        await scene.script_provider({"kind": kind, "requests": 6, "seconds": 1})
        await scene.pause(1.5)
    await scene.script_provider()
    scene.note()


async def forget_scripts(scene: Scene) -> None:
    """Let Redis forget every script it knows, again and again."""
    while scene.is_sending:
        await scene.redis.script_flush()
        await scene.pause(0.05, 0.2)
    scene.note()


async def remove_doorbells(scene: Scene) -> None:
    """Take away every doorbell before a worker hears it, as far as possible."""
    while scene.is_sending:
        await scene.redis.delete(DOORBELL_QUEUE)
        await asyncio.sleep(0.002)
    scene.note()


async def poison(scene: Scene) -> None:
    """Let one conversation's first message kill every worker that tries it, and put garbage into two mailboxes."""
    for post in scene.workers.posts:
        post.failpoint = f"guard.done={scene.run}-1"
    for number in (2, 3):
        keys = mailbox_keys(ConversationKey("default", f"{scene.run}-{number}"), scene.settings.partitions)
        await scene.redis.lpush(keys.mailbox, b"\xff\xfe no envelope", b'{"version": 99}')
        await scene.redis.zadd(keys.agenda, {f"default:{scene.run}-{number}": 0})
    for post in scene.workers.posts:  # those that run were born without the failpoint
        await scene.kill(post)
    deaths = scene.workers.deaths
    await scene.until(lambda: scene.workers.deaths >= deaths + scene.settings.attempts_max, 60)
    for post in scene.workers.posts:
        post.failpoint = None
    scene.note()


FAULTS: tuple[Fault, ...] = (
    Fault("F0", "nothing is broken", no_fault, None, asks_nothing_again=True),
    Fault("F1", "a worker is killed, again and again", kill_a_worker, 8),
    Fault("F2", "all workers are killed at once", kill_all_workers, 12),
    Fault("F3", "a worker is frozen for three leases", freeze_a_worker, 8, must_log=("lease.lost",)),
    Fault(
        "F4",
        "workers are told to stop, in turn",
        stop_workers_in_turn,
        5,
        must_log=("worker.stopped",),
        asks_nothing_again=True,
    ),
    Fault("F5", "Redis is killed, back after 2 s", restart_redis, 5),
    Fault("F5b", "Redis is killed, back after 10 s", restart_redis_late, 5),
    Fault("F6", "Redis is frozen for 8 s", freeze_redis, 8),
    Fault("F7", "Redis loses its last second", forget_a_second, 8),
    Fault("F8", "Redis is emptied", empty_redis, 10),
    Fault("F9", "Redis has no memory left", fill_redis, 8),
    Fault("F10", "PostgreSQL is killed, back after 2 s", restart_postgres, 5),
    Fault("F11", "PostgreSQL is frozen for 10 s", freeze_postgres, 10),
    Fault("F13", "wires: 50 ms more, resets", slow_wires, 10),
    Fault("F14", "wires: half-open connections", half_open_wires, 15),
    Fault("F15", "wires: done, but the answer is lost", lose_answers, 10),
    Fault("F16", "a worker is parted from Redis", part_from_redis, 10),
    Fault("F16b", "a worker is parted from PostgreSQL", part_from_postgres, None),
    Fault("F18", "poison, and garbage in mailboxes", poison, None),
    Fault("F19", "the provider hangs and answers late", slow_provider, None),
    Fault("F20", "the provider fails in six ways", failing_provider, None),
    Fault("F22", "every message comes three times", no_fault, None, copies=2, asks_nothing_again=True),
    Fault("F26", "Redis forgets its scripts", forget_scripts, None),
    Fault("F28", "doorbells vanish", remove_doorbells, None),
    *(Fault(name, title, act, 8) for name, title, act in crash_faults()),
)


def choose_faults(names: str | None) -> list[Fault]:
    """Give the faults with these names, separated by commas, or all; raises ValueError for a name there is not."""
    if not names:
        return list(FAULTS)
    by_name = {fault.name.lower(): fault for fault in FAULTS}
    wanted = [name.strip() for name in names.split(",")]
    unknown = [name for name in wanted if name.lower() not in by_name]
    if unknown:
        raise ValueError(f"no such fault: {', '.join(unknown)}; there are {', '.join(fault.name for fault in FAULTS)}")
    return [by_name[name.lower()] for name in wanted]
