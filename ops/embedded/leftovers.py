"""Recognise the servers of a stack by their command lines, and stop those whose owner died."""

from __future__ import annotations

import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Literal

import psutil

from ops.embedded.errors import EmbeddedStackError

ServerKind = Literal["postgres", "redis-server"]

# The signal that asks a leftover server to stop: PostgreSQL's fast shutdown, Redis's ordinary one.
STOP_SIGNALS: dict[ServerKind, signal.Signals] = {"postgres": signal.SIGINT, "redis-server": signal.SIGTERM}
# initdb and its children write to a temporary folder, so they are killed without asking.
PROGRAM_NAMES = (*STOP_SIGNALS, "initdb")
ASK_SECONDS = 10.0
KILL_SECONDS = 10.0
POLL_SECONDS = 0.02


def find_servers(stack_name: str, kind: ServerKind | None = None) -> list[psutil.Process]:
    """Find the processes whose command line carries a stack's name, PostgreSQL's own children included.

    Command lines, because they are what root can read of another account's processes even in a container without
    CAP_SYS_PTRACE, where working folders and executables cannot be; and because a pid file is written after the fork it
    speaks of. A process that is over but not reaped has no command line and so does not count.
    """
    names = PROGRAM_NAMES if kind is None else (kind,)
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if (cmdline := process.info["cmdline"])
        # PostgreSQL and Redis rewrite their first argument into a title, "postgres: fte-1a2b: checkpointer".
        and Path(cmdline[0]).name.startswith(names)
        and any(stack_name in argument for argument in cmdline)
    ]


def stop_leftovers(stack_name: str, kind: ServerKind | None = None) -> int:
    """Stop every server of a stack and return how many there were.

    Stopping and starting afresh is preferred to adopting: the new owner's settings apply, its children can be waited
    for, and a leftover in an unknown state is not trusted. Takes up to `ASK_SECONDS + KILL_SECONDS`.

    Raises:
        EmbeddedStackError: some cannot be stopped.

    """
    found = find_servers(stack_name, kind)
    pids = {process.pid for process in found}
    for process in found:
        with suppress(psutil.NoSuchProcess):
            # Only the oldest of a family is asked; a postmaster stops its own children, cleanly.
            if process.ppid() not in pids:
                _ask_to_stop(process)
    for process in _outlast(found, ASK_SECONDS):
        with suppress(psutil.NoSuchProcess):
            process.kill()
    if alive := _outlast(find_servers(stack_name, kind), KILL_SECONDS):
        pids_left = ", ".join(str(process.pid) for process in alive)
        message = f"leftover servers of {stack_name} did not stop within {KILL_SECONDS:.0f} s of SIGKILL: {pids_left}"
        raise EmbeddedStackError(message)
    return len(found)


def _ask_to_stop(process: psutil.Process) -> None:
    name = Path((process.cmdline() or [""])[0]).name
    for kind, stop_signal in STOP_SIGNALS.items():
        if name.startswith(kind):
            process.send_signal(stop_signal)
            # A frozen process keeps the signal for later; thaw it so that it stops now.
            process.resume()
            return
    process.kill()


def _outlast(processes: list[psutil.Process], wait_seconds: float) -> list[psutil.Process]:
    """Wait until all processes have ended, and return those that have not when the time is up.

    `psutil.wait_procs` would wait for a zombie to be reaped, which never happens under a container's first process that
    reaps nobody.
    """
    deadline = time.monotonic() + wait_seconds
    alive = [process for process in processes if _is_running(process)]
    while alive and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
        alive = [process for process in alive if _is_running(process)]
    return alive


def _is_running(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
