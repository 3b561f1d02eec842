"""Clock faults of a worker and of Redis, by libfaketime, which replaces a process's view of the machine's clock."""

from __future__ import annotations

import asyncio
import importlib.util
import shutil
import signal
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ops.lab.chaos.process_slots import READY_SECONDS_MAX
from runtime.encoding import parse_json
from schema.tasks import DOORBELL_QUEUE

if TYPE_CHECKING:
    from ops.lab.chaos.process_slots import ProcessSlot
    from ops.lab.chaos.scene import Scene

HOUR_SECONDS = 3_600
LIVED_SECONDS = 5.0
"""How long a clock is wrong before it jumps again."""

_LIBRARY = "libfaketime.so.1"


@dataclass(frozen=True)
class FakeClock:
    """A wall clock for processes in `folder` that differs from the machine's; their monotonic clock stays."""

    folder: Path

    @classmethod
    def wind_up(cls, folder: Path) -> FakeClock:
        """Put the library and the clock's setting into the folder, where the process needs no other path."""
        library = find_library()
        if library is None:
            raise FileNotFoundError(_LIBRARY)
        shutil.copyfile(library, folder / _LIBRARY)
        clock = cls(folder)
        clock.jump_to(0)
        return clock

    @property
    def environment(self) -> dict[str, str]:
        """Return the environment variables that the process must be started with."""
        return {
            "LD_PRELOAD": f"./{_LIBRARY}",
            "FAKETIME_TIMESTAMP_FILE": "./clock",
            "FAKETIME_NO_CACHE": "1",
            "DONT_FAKE_MONOTONIC": "1",
        }

    def jump_to(self, seconds: int) -> None:
        """Set the clock so many seconds ahead of the machine's."""
        draft = self.folder / "clock.new"
        draft.write_text(f"{seconds:+d}\n", encoding="utf-8")
        draft.chmod(0o644)
        draft.replace(self.folder / "clock")


def find_library() -> Path | None:
    """Find libfaketime, from the Python distribution of that name or from Debian's package."""
    spec = importlib.util.find_spec("libfaketime")
    places = [Path(folder) / "vendor/libfaketime/src" for folder in (spec and spec.submodule_search_locations) or ()]
    found = [*(place / _LIBRARY for place in places), *Path("/usr/lib").glob(f"*/faketime/{_LIBRARY}")]
    return next((path for path in found if path.is_file()), None)


def why_unshown(_scene: Scene) -> str | None:
    """Return why clocks cannot be made to jump here, or None."""
    return None if find_library() else "no libfaketime: apt install faketime, or pip install libfaketime"


async def jump_a_worker(scene: Scene) -> None:
    """Make a worker's clock jump forward by an hour, and back by two."""
    slot = scene.workers[0]
    clock = FakeClock.wind_up(slot.folder)
    slot.changes = clock.environment
    slot.send(signal.SIGTERM)
    await scene.until_gone(slot)
    await scene.until(lambda: slot.is_ready, READY_SECONDS_MAX)
    for seconds in (HOUR_SECONDS, -HOUR_SECONDS):
        before = slot.log.stat().st_size
        clock.jump_to(seconds)
        scene.note()
        await scene.pause(LIVED_SECONDS)
        committed, taken_up = _count_facts(slot, before, time.time() + seconds)
        if committed <= 2 * taken_up:
            told = f"{committed} turns, and its rescue took {taken_up} conversations up"
            scene.undone.append(f"a worker whose clock was wrong by {seconds} s heard no bells: {told}")
    clock.jump_to(0)
    slot.changes = {}


def _count_facts(slot: ProcessSlot, after_bytes: int, about: float) -> tuple[int, int]:
    """Count a worker's turns, and the conversations that rescue took up, about a time of the worker's own clock."""
    with slot.log.open("rb") as stream:
        stream.seek(after_bytes)
        facts = [parse_json(line) for line in stream if line.startswith(b"{") and line.endswith(b"\n")]
    then = [
        fact for fact in facts if abs(datetime.fromisoformat(fact["timestamp"]).timestamp() - about) < HOUR_SECONDS / 2
    ]
    committed = sum(fact["event"] == "turn.committed" for fact in then)
    return committed, sum(fact["conversations"] for fact in then if fact["event"] == "rescue.took_up")


async def jump_redis(scene: Scene) -> None:
    """Make Redis's clock jump forward and back by an hour, while bells and retries are under way and a worker dies."""
    clock = FakeClock.wind_up(scene.stack.state_dir / "redis")
    await asyncio.to_thread(scene.stack.kill_redis)
    await asyncio.to_thread(scene.stack.start_redis, clock.environment)
    scene.note()
    try:
        for seconds in (HOUR_SECONDS, 0):
            await scene.until_moved()
            await scene.script_provider({"kind": "503", "requests": 9, "seconds": 4})
            await scene.pause(1)
            await scene.redis.delete(DOORBELL_QUEUE)
            scene.random.choice(scene.workers).send(signal.SIGKILL)
            clock.jump_to(seconds)
            scene.note()
            told, _ = await scene.redis.time()
            if abs(told - time.time() - seconds) > LIVED_SECONDS:
                scene.undone.append(f"Redis's clock is wrong by {told - time.time():.0f} s, and not by {seconds} s")
    finally:
        await scene.script_provider()
        await asyncio.to_thread(scene.stack.kill_redis)
        await asyncio.to_thread(scene.stack.start_redis)
    scene.note()
