"""Break several things at once, at random: what single rows cannot show is how faults meet."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import TYPE_CHECKING

from ops.chaos import faults
from ops.chaos.faults import Act, Fault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ops.chaos.scene import Scene


async def _kill_one(scene: Scene) -> None:
    """Kill a worker."""
    await scene.kill(scene.random.choice(scene.workers.posts))


# Within a lane one thing happens after the other: whoever restarts servers must not do so twice at a time.
LANES: tuple[Sequence[Act], ...] = (
    (_kill_one, _kill_one, _kill_one, faults.freeze_a_worker, faults.stop_workers_in_turn),
    (faults.restart_redis, faults.restart_postgres, faults.empty_redis, faults.freeze_redis, faults.forget_a_second),
    (faults.half_open_wires, faults.lose_answers, faults.part_from_redis, faults.part_from_postgres),
    (faults.failing_provider,),
)


def mixed_fault(seconds: float) -> Fault:
    """Describe a run of so many seconds in which workers, servers, wires and the provider break independently."""
    return Fault(
        "MIX", f"everything at random, {seconds:g} s", partial(_break_all, seconds=seconds), None, seconds=seconds
    )


async def _break_all(scene: Scene, *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    await asyncio.gather(*(_break_lane(scene, lane, deadline) for lane in LANES))
    await scene.restore()
    scene.note()


async def _break_lane(scene: Scene, lane: Sequence[Act], deadline: float) -> None:
    while time.monotonic() < deadline:
        await scene.pause(1, 5)
        await scene.random.choice(lane)(scene)
