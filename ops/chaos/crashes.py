"""Kill workers at each named point of a turn: the crash points of the matrix."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from ops.runtime.failpoints import POINTS

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from ops.chaos.scene import Scene
    from ops.runtime.failpoints import Point


def crash_faults() -> Iterator[tuple[str, str, Callable[[Scene], Coroutine[Any, Any, None]]]]:
    """Give a fault for each point: its name, what it does in words, and the deed."""
    for number, point in enumerate(POINTS, 1):
        yield f"P{number}", f"a worker dies at {point}", partial(_die_at, point=point)


async def _die_at(scene: Scene, *, point: Point) -> None:
    """Let the workers of one post die at the point, each the second time it gets there, until enough have."""
    dying = scene.workers.posts[0]
    deaths = scene.workers.deaths
    dying.failpoint = f"{point}@2"
    await scene.kill(dying)  # it was born without the failpoint
    while scene.workers.deaths < deaths + scene.kills and scene.gateway.unanswered + scene.is_sending:
        if await scene.until_death(1.0):
            scene.note()
    dying.failpoint = None
    await scene.kill(dying)
