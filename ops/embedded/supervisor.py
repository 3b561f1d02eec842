"""Supervise worker processes: restart those that end, and stop all together."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import structlog

from ops.embedded.state import open_log

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

STOP_GRACE_SECONDS = 30.0
TETHER = Path(__file__).with_name("tether.py")


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """The waits before a worker is started again.

    The wait doubles with every death in a row up to its maximum, so a worker that cannot start costs next to nothing;
    a worker that lived `healthy_seconds` starts a new row.
    """

    first_seconds: float = 0.25
    wait_seconds_max: float = 30.0
    healthy_seconds: float = 60.0

    def wait_seconds(self, deaths_in_a_row: int) -> float:
        """Return the wait after the n-th death in a row, n from 1."""
        # The exponent is capped so that a worker dying for weeks does not overflow a float.
        return float(min(self.first_seconds * 2 ** min(deaths_in_a_row - 1, 32), self.wait_seconds_max))

    def count_deaths(self, deaths_before: int, lived_seconds: float) -> int:
        """Return the new number of deaths in a row after one more worker died."""
        return 1 if lived_seconds >= self.healthy_seconds else deaths_before + 1


class WorkerSupervisor:
    """Runs `count` copies of a command, restarting each that ends until stop() is called.

    Worker k (from 0) writes to `<state_dir>/<name>-<k>.log`, runs in a session of its own, and is sent SIGTERM by the
    kernel should this process die (Linux). Used once: after stop() make a new one.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        count: int,
        state_dir: Path,
        env: Mapping[str, str],
        policy: RestartPolicy | None = None,
        name: str = "worker",
    ) -> None:
        self._argv = tuple(argv)
        self._env = dict(env)
        self._stopping = threading.Event()
        self._slots = [
            _WorkerSlot(self._argv, self._env, state_dir / f"{name}-{k}.log", policy or RestartPolicy(), self._stopping)
            for k in range(count)
        ]

    def __enter__(self) -> Self:
        """Start the workers."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the workers."""
        self.stop()

    def start(self) -> None:
        """Start the workers; return when each has been started once, which does not mean that it is ready.

        Raises:
            FileNotFoundError: there is no such program. Without this check it would be a worker that dies for ever.

        """
        if shutil.which(self._argv[0], path=self._env.get("PATH")) is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), self._argv[0])
        for slot in self._slots:
            slot.start()
        for slot in self._slots:
            slot.wait_first_start()

    def stop(self, grace_seconds: float = STOP_GRACE_SECONDS) -> None:
        """Send SIGTERM to every worker, wait until all ended or the grace is over, then SIGKILL what is left."""
        self._stopping.set()
        deadline = time.monotonic() + grace_seconds
        for slot in self._slots:
            slot.send(signal.SIGTERM)
        for slot in self._slots:
            slot.join(max(0.0, deadline - time.monotonic()))
        for slot in self._slots:
            slot.send(signal.SIGKILL)
        for slot in self._slots:
            slot.join(None)

    @property
    def pids(self) -> list[int]:
        """Return the pids of the workers that run now, in the order of k."""
        return [pid for slot in self._slots if (pid := slot.pid) is not None]

    def kill(self, k: int) -> None:
        """Send SIGKILL to worker k, as the kernel does when memory runs out; it is restarted."""
        self._slots[k].send(signal.SIGKILL)


class _WorkerSlot:
    """Runs one worker after another in its slot, by a thread that starts it, waits for its end, and starts the next.

    The waiting thread also starts the workers: the kernel's signal at the parent's death is tied to the thread that
    forked, and this one lives as long as its worker.
    """

    def __init__(
        self,
        argv: tuple[str, ...],
        env: dict[str, str],
        log_path: Path,
        policy: RestartPolicy,
        stopping: threading.Event,
    ) -> None:
        self._argv = argv
        self._env = env
        self._log_path = log_path
        self._policy = policy
        self._stopping = stopping
        self._log = structlog.stdlib.get_logger(__name__)
        # Keeps _popen from being reaped between a check of it and a signal to it: the pid could be another's by then.
        self._guard = threading.Lock()
        self._popen: subprocess.Popen[bytes] | None = None
        self._tried = threading.Event()
        self._thread = threading.Thread(target=self._keep, name=log_path.stem, daemon=True)

    @property
    def pid(self) -> int | None:
        with self._guard:
            return None if self._popen is None else self._popen.pid

    def start(self) -> None:
        self._thread.start()

    def wait_first_start(self) -> None:
        self._tried.wait()

    def send(self, number: signal.Signals) -> None:
        """Signal the worker alone, which ends its own children; those it leaves are killed after its end."""
        with self._guard:
            if self._popen is not None:
                os.kill(self._popen.pid, number)
                # A frozen worker keeps a signal it catches for later; thaw it so that it gets it now.
                os.kill(self._popen.pid, signal.SIGCONT)

    def join(self, timeout_seconds: float | None) -> None:
        if self._thread.ident is not None:
            self._thread.join(timeout_seconds)

    def _keep(self) -> None:
        deaths = 0
        while not self._stopping.is_set():
            started_at = time.monotonic()
            outcome = self._run_one()
            if self._stopping.is_set():
                return
            deaths = self._policy.count_deaths(deaths, time.monotonic() - started_at)
            wait_seconds = self._policy.wait_seconds(deaths)
            self._log.warning(
                "worker.died",
                worker=self._log_path.stem,
                outcome=outcome,
                deaths_in_a_row=deaths,
                restart_in_seconds=wait_seconds,
            )
            self._stopping.wait(wait_seconds)

    def _run_one(self) -> str:
        """Run one worker to its end and return how it ended."""
        try:
            popen = self._spawn()
        except OSError as error:
            # Out of processes, memory or disk: as temporary as a worker's death, and cured by the same wait.
            return f"not started: {error}"
        finally:
            self._tried.set()
        if popen is None:
            return "not started: stopping"
        # Waits without reaping, so that the pid stays the worker's until nothing can signal it any more.
        os.waitid(os.P_PID, popen.pid, os.WEXITED | os.WNOWAIT)
        with self._guard:
            # What the worker left in its session has no owner; the zombie keeps the session's id from being reused.
            os.killpg(popen.pid, signal.SIGKILL)
            code = popen.wait()
            self._popen = None
        return f"pid {popen.pid} ended with code {code}"

    def _spawn(self) -> subprocess.Popen[bytes] | None:
        """Start a worker, unless stop() has already signalled those that run: this one would be missed."""
        with self._guard:
            if self._stopping.is_set():
                return None
            log = open_log(self._log_path)
            try:
                self._popen = subprocess.Popen(
                    [sys.executable, "-I", "-S", str(TETHER), str(os.getpid()), *self._argv],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=self._env,
                    start_new_session=True,
                )
            finally:
                os.close(log)
            return self._popen
