"""Wire faults: connections between processes and servers cut, slowed and silenced."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ops.lab.chaos.scene import Scene
    from ops.lab.chaos.wires import Wire

WIRE_BREAKS = 24


async def slow_wires(scene: Scene) -> None:
    """Make every wire slow, and lose one chunk in a thousand with its connection."""
    for wire in scene.wires:
        wire.latency_seconds, wire.resets = 0.05, 0.001
    await scene.until(lambda: not scene.is_sending, 20)
    for wire in scene.wires:
        wire.heal()
    scene.note()


async def half_open_wires(scene: Scene) -> None:
    """Silence every connection of the workers without closing any."""
    await scene.pause(1, 2)
    for wire in scene.wires:
        wire.swallow()
    scene.note()
    await scene.pause(2)


async def lose_answers(scene: Scene) -> None:
    """Cut wires after servers have done what they were asked, and before their answer arrives."""
    broken = 0
    while broken < WIRE_BREAKS:
        slot = scene.random.choice(scene.workers)
        wire: Wire = scene.random.choice((slot.redis, slot.postgres))
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
    """Cut one worker off from Redis and not from PostgreSQL, for two leases."""
    await _part(scene, scene.random.choice(scene.workers).redis)


async def part_from_postgres(scene: Scene) -> None:
    """Cut one worker off from PostgreSQL and not from Redis, for two leases."""
    await _part(scene, scene.random.choice(scene.workers).postgres)


async def _part(scene: Scene, wire: Wire) -> None:
    await scene.pause(1, 2)
    scene.note()
    wire.part()
    await asyncio.sleep(2 * scene.settings.lease_seconds)
    wire.heal()
    scene.note()
