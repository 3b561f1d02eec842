"""Break several things at once, at random, to test how faults combine."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import TYPE_CHECKING

from ops.lab.chaos import provider_faults, server_faults, wire_faults, worker_faults
from ops.lab.chaos.faults import Act, Fault
from ops.lab.chaos.scene import FaultSpan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ops.lab.chaos.scene import Scene


async def _kill_one(scene: Scene) -> None:
    """Kill a worker."""
    await scene.kill(scene.random.choice(scene.mortals))


async def _kill_of_a_gateway(scene: Scene) -> None:
    """Kill the process that sends, or the one that collects."""
    await scene.kill(scene.random.choice((scene.crew.sender, scene.crew.consumer)))


async def _half_open_for_a_while(scene: Scene) -> None:
    """Make connections half-open, until the servers are told as well: a network gives a dead one up at some time."""
    await wire_faults.half_open_wires(scene)
    await scene.pause(8, 12)
    for wire in scene.wires:
        wire.heal()


# Within a lane faults follow each other: servers must not be restarted twice at a time.
LANES: tuple[Sequence[Act], ...] = (
    (_kill_one, _kill_one, _kill_one, worker_faults.freeze_a_worker, worker_faults.stop_workers_in_turn),
    (
        server_faults.restart_redis,
        server_faults.restart_postgres,
        server_faults.empty_redis,
        server_faults.freeze_redis,
        server_faults.forget_a_second,
    ),
    (
        _half_open_for_a_while,
        wire_faults.lose_answers,
        wire_faults.part_from_redis,
        wire_faults.part_from_postgres,
    ),
    (provider_faults.failing_provider,),
    (_kill_of_a_gateway,),
)


def mixed_fault(seconds: float) -> Fault:
    """Return a fault of so many seconds in which workers, servers, wires and the provider break independently."""
    return Fault(
        "MIX",
        f"everything at random, {seconds:g} s",
        partial(_break_all, seconds=seconds),
        None,
        seconds=seconds,
        redis_forgets=True,
    )


async def _break_all(scene: Scene, *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    await asyncio.gather(*(_break_lane(scene, lane, deadline) for lane in LANES))
    await scene.restore()
    scene.note()


async def _break_lane(scene: Scene, lane: Sequence[Act], deadline: float) -> None:
    while time.monotonic() < deadline:
        await scene.pause(1, 5)
        act = scene.random.choice(lane)
        began_at = time.time()
        await act(scene)
        scene.spans.append(FaultSpan(act.__name__.strip("_").replace("_", " "), began_at, time.time()))
