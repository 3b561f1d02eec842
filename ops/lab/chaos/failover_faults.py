"""Failover faults: a primary is killed, frozen or relieved, and a replica takes its place."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from ops.lab.chaos.sentinel_servers import PRIMARY, SentinelRedis

if TYPE_CHECKING:
    from collections.abc import Callable

    from ops.lab.chaos.scene import Scene
    from ops.lab.chaos.sentinel_servers import RedisNode
    from ops.lab.chaos.standby import Standby

FAILOVER_SECONDS_MAX = 60.0
"""A Sentinel that was not run for 2 s, or whose clock jumped, says OK to a switch and does nothing for 30 s (TILT)."""

WHOLE_SECONDS_MAX = 60.0
FROZEN_SECONDS = 10.0
"""Longer than Sentinels and clients take to give a silent primary up."""

SWITCHES = 2
LOOK_SECONDS = 0.1
PROMOTED_AFTER_SECONDS = 2.0
"""How long nobody notices that PostgreSQL's primary is gone."""

SETTLED_SECONDS = 5.0
"""How long messages go on coming after a standby was promoted."""


async def kill_redis_primary(scene: Scene) -> None:
    """Kill Redis's primary, and start it again once a replica has its place: it takes itself for the primary still."""
    sentinels = _sentinels(scene)
    primary = await _find_primary(scene, sentinels)
    await asyncio.to_thread(primary.kill)
    scene.note()
    await _until_replaced(scene, sentinels, primary)
    await asyncio.to_thread(primary.start)
    await _until_whole(scene, sentinels)


async def freeze_redis_primary(scene: Scene) -> None:
    """Freeze Redis's primary until a replica has its place, and let it wake and take itself for the primary still."""
    sentinels = _sentinels(scene)
    primary = await _find_primary(scene, sentinels)
    scene.note()
    await scene.freeze(primary.pid, FROZEN_SECONDS)
    scene.note()
    await _until_replaced(scene, sentinels, primary)
    await _until_whole(scene, sentinels)


async def switch_redis_primary(scene: Scene) -> None:
    """Let the Sentinels put a replica in the primary's place, as for maintenance; the old one becomes a replica."""
    sentinels = _sentinels(scene)
    for _ in range(SWITCHES):
        primary = await _find_primary(scene, sentinels)
        await asyncio.to_thread(sentinels.sentinels[0].client.execute_command, "SENTINEL", "FAILOVER", PRIMARY)
        scene.note()
        await _until_replaced(scene, sentinels, primary)
    await _until_whole(scene, sentinels)


async def lose_postgres_primary(scene: Scene) -> None:
    """Kill PostgreSQL's primary for good, and promote the standby for which its commits waited."""
    standby = _standby(scene)
    await scene.pause(2, 3)
    await asyncio.to_thread(scene.stack.kill_postgres)
    scene.note()
    await asyncio.sleep(PROMOTED_AFTER_SECONDS)
    await asyncio.to_thread(standby.promote)
    scene.note()
    await scene.pause(SETTLED_SECONDS)


def _standby(scene: Scene) -> Standby:
    if scene.servers.standby is None:
        raise RuntimeError("this fault needs servers of the kind `standby`")
    return scene.servers.standby


def _sentinels(scene: Scene) -> SentinelRedis:
    if scene.servers.sentinels is None:
        raise RuntimeError("this fault needs servers of the kind `sentinels`")
    return scene.servers.sentinels


async def _find_primary(scene: Scene, sentinels: SentinelRedis) -> RedisNode:
    """Find the primary once nothing is left of a switch before."""
    await scene.pause(1, 2)
    if not await _until(scene, sentinels.is_settled, WHOLE_SECONDS_MAX, is_broken=False):
        scene.undone.append(f"the Sentinels do not see two replicas after {WHOLE_SECONDS_MAX:.0f} s")
    primary = await asyncio.to_thread(sentinels.find_primary)
    if primary is None:
        raise RuntimeError("the Sentinels do not agree on a primary before the fault has begun")
    return primary


async def _until_replaced(scene: Scene, sentinels: SentinelRedis, before: RedisNode) -> None:
    """Wait until most Sentinels name another primary than before; what comes in meanwhile has to move as well."""

    def is_replaced() -> bool:
        return sentinels.find_primary() not in {None, before}

    if not await _until(scene, is_replaced, FAILOVER_SECONDS_MAX):
        scene.undone.append(f"no replica took the place of the primary within {FAILOVER_SECONDS_MAX:.0f} s")


async def _until_whole(scene: Scene, sentinels: SentinelRedis) -> None:
    """Wait until the old primary follows the new one, so that the next fault has two replicas again."""
    if not await _until(scene, sentinels.is_whole, WHOLE_SECONDS_MAX):
        scene.undone.append(f"the old primary does not follow the new one after {WHOLE_SECONDS_MAX:.0f} s")


async def _until(scene: Scene, condition: Callable[[], bool], seconds_max: float, *, is_broken: bool = True) -> bool:
    """Wait until servers, which are asked beside the loop, are in a state; note each second that they are broken."""
    deadline = time.monotonic() + seconds_max * scene.slowness
    while not await asyncio.to_thread(condition):
        if time.monotonic() > deadline:
            return False
        if is_broken and time.time() > scene.moments[-1] + 1:
            scene.note()
        await asyncio.sleep(LOOK_SECONDS)
    return True
