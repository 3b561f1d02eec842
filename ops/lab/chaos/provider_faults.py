"""Provider faults: the provider of models hangs, fails and answers late."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ops.lab.chaos.scene import Scene


async def slow_provider(scene: Scene) -> None:
    """Make the provider hang, and answer after every caller has given up."""
    late = scene.settings.model_call_seconds_max + 1
    for _ in range(3):
        await scene.script_provider({"kind": "hang", "requests": 2}, {"kind": "slow", "requests": 2, "seconds": late})
        scene.note()
        await scene.pause(3)


async def failing_provider(scene: Scene) -> None:
    """Make the provider refuse, fail, cut answers off and answer nonsense."""
    for kind in ("429", "500", "cut", "malformed_arguments", "503", "unknown_tool"):
        await scene.script_provider({"kind": kind, "requests": 6, "seconds": 1})
        await scene.pause(1.5)
    await scene.script_provider()
    scene.note()
