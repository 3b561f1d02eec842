"""Server faults: Redis and PostgreSQL killed, frozen, emptied and filled; scripts and doorbells lost."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ops.lab.chaos.consumer import START as CONSUMER_START
from runtime.cancelling import cancel_and_wait
from schema.tasks import DOORBELL_QUEUE

if TYPE_CHECKING:
    from ops.lab.chaos.scene import Scene

OUTAGE_SECONDS = 2.0
LONG_OUTAGE_SECONDS = 10.0

CONSUMER_MOMENTS = (-0.6, -0.3, -0.05, 0.0, 0.2, 0.4, 0.8)
"""Seconds from the emptying of Redis to the death of a consumer; below zero: it dies before."""

THIEVES = 20
STOLEN_MIN = 25
STEALING_SECONDS_MAX = 30.0


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
    """Kill Redis, and start it again much later: clients with growing retry waits are at their longest then."""
    await asyncio.to_thread(scene.stack.kill_redis)
    await asyncio.sleep(LONG_OUTAGE_SECONDS)
    await asyncio.to_thread(scene.stack.start_redis)
    scene.note()


async def freeze_redis(scene: Scene) -> None:
    """Suspend Redis for longer than a lease."""
    await scene.freeze(scene.stack.redis_pid, scene.settings.lease_seconds + 2)
    scene.note()


async def forget_a_second(scene: Scene) -> None:
    """Kill Redis, and drop what it wrote in its last second, as a power failure does."""
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


async def empty_redis_beside_a_consumer(scene: Scene) -> None:
    """Empty Redis, and kill the consumer at moments around it; the next one starts at new entries, or at all."""
    consumer = scene.crew.consumer
    for start in ("$", "0"):
        for moment in CONSUMER_MOMENTS:
            await scene.until_ready(consumer)
            await scene.pause(scene.settings.collected_seconds, scene.settings.collected_seconds + 1)
            consumer.changes = {CONSUMER_START: start}
            if moment < 0:
                await scene.kill(consumer)
                await asyncio.sleep(-moment)
                await scene.redis.flushall()
            else:
                await scene.redis.flushall()
                await asyncio.sleep(moment)
                await scene.kill(consumer)
            scene.note()


async def fill_redis(scene: Scene) -> None:
    """Leave Redis without memory for a while."""
    before = await scene.redis.config_get("maxmemory")
    await scene.redis.config_set("maxmemory", 1)
    await asyncio.sleep(4)
    await scene.redis.config_set("maxmemory", str(before["maxmemory"]))
    scene.note()


async def restart_postgres(scene: Scene) -> None:
    """Kill PostgreSQL in the middle of its transactions, and start it again, twice."""
    for _ in range(2):
        await scene.pause(1, 2)
        await scene.until_moved()
        await asyncio.to_thread(scene.stack.kill_postgres)
        await asyncio.sleep(OUTAGE_SECONDS)
        await asyncio.to_thread(scene.stack.start_postgres)
        scene.note()


async def freeze_postgres(scene: Scene) -> None:
    """Suspend PostgreSQL for a while."""
    await scene.freeze(scene.stack.postgres_pid, LONG_OUTAGE_SECONDS)
    scene.note()


async def forget_scripts(scene: Scene) -> None:
    """Flush Redis's scripts again and again."""
    while scene.is_sending:
        await scene.redis.script_flush()
        await scene.pause(0.05, 0.2)
    scene.note()


async def steal_doorbells(scene: Scene) -> None:
    """Take most doorbells before a worker does, by waiting as workers do: Redis serves the longest waiter first."""
    stolen: list[object] = []
    thieves = [asyncio.create_task(_steal(scene, stolen)) for _ in range(THIEVES)]
    is_enough = await scene.until(lambda: len(stolen) >= STOLEN_MIN, STEALING_SECONDS_MAX)
    await cancel_and_wait(*thieves)
    scene.note()
    if not is_enough:
        scene.undone.append(f"{len(stolen)} doorbells were stolen, and at least {STOLEN_MIN} were to")


async def _steal(scene: Scene, stolen: list[object]) -> None:
    while True:
        if (taken := await scene.redis.brpop([DOORBELL_QUEUE], timeout=1)) is not None:
            stolen.append(taken[0])
