"""Run the simulated provider as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector
from typing import TYPE_CHECKING

from ops.embedded.supervisor import TETHER
from ops.standalone.standalone import fte_command
from runtime.encoding import parse_json
from schema.errors import FteError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

READY_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 5.0

_SOURCES = Path(__file__).resolve().parents[3]


class SimulatorNotReady(FteError):
    """The simulated provider did not start; the reason is on standard error."""

    def __init__(self) -> None:
        super().__init__(f"the simulated provider was not ready within {READY_SECONDS_MAX:.0f} s")


@contextmanager
def run_simulator(options: Sequence[str]) -> Iterator[str]:
    """Run `fte llm-sim` with these options on a free port for the length of the block, and yield its base URL.

    It ends with this process, should that be killed (Linux). Raises SimulatorNotReady.
    """
    # -P: `-m` would put the current folder first, and a `ops` or `schema` of the user there would be ours.
    command = fte_command("llm-sim", "--port", "0", "--json", *options)
    popen = subprocess.Popen(
        [sys.executable, "-I", "-S", str(TETHER), str(os.getpid()), *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [str(_SOURCES), os.environ.get("PYTHONPATH")]))},
        start_new_session=True,  # Ctrl-C must not reach it: workers that finish their turns still ask it
    )
    with popen:
        try:
            yield _read_url(popen)
        finally:
            popen.terminate()
            try:
                popen.wait(STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                popen.kill()


def _read_url(popen: subprocess.Popen[bytes]) -> str:
    assert popen.stdout is not None  # noqa: S101 - narrows the type; opened with PIPE
    with DefaultSelector() as selector:
        selector.register(popen.stdout, EVENT_READ)
        if not selector.select(READY_SECONDS_MAX):
            raise SimulatorNotReady
    line = popen.stdout.readline()
    if not line:
        raise SimulatorNotReady
    return str(parse_json(line)["url"])
