"""Run deliverers beside a load: `fte deliver …` as processes that are killed, at named points or from outside."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ops.embedded.supervisor import TETHER
from ops.standalone.standalone import fte_command, worker_environment
from runtime.failpoints import VARIABLE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from ops.lab.chaos.scene import Scene
    from schema.settings import Settings

SECONDS_PER_DEATH_MAX = 40.0
"""A deliverer begins, finds work and dies of it well within this."""


@contextmanager
def run_deliverer(settings: Settings, what: str, log: Path, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run `fte deliver WHAT` until the end of the block; it logs to a file, and dies with this process."""
    command = fte_command("deliver", what)
    tethered = [sys.executable, "-I", "-S", str(TETHER), str(os.getpid()), *command]
    with (
        log.open("ab") as told,
        subprocess.Popen(
            tethered, stderr=told, env=worker_environment(settings) | environment, start_new_session=True
        ) as one,
    ):
        try:
            yield one
        finally:
            one.kill()


async def let_deliverers_die(
    scene: Scene, what: str, log: Path, points: Sequence[str], **environment: str
) -> dict[str, int]:
    """Run deliverers one after the other, each until it dies at the next of the points; return the deaths at each."""
    deaths = dict.fromkeys(points, 0)
    for point in points:
        with run_deliverer(scene.settings, what, log, **environment, **{VARIABLE: point}) as mortal:
            deadline = time.monotonic() + SECONDS_PER_DEATH_MAX * scene.slowness
            while mortal.poll() is None and time.monotonic() < deadline:  # noqa: ASYNC110 - with a deadline
                await asyncio.sleep(0.1)
            if mortal.poll() == -signal.SIGKILL:
                deaths[point] += 1
                scene.note()
            else:
                scene.undone.append(f"no deliverer of {what} died at {point}")
    return deaths
