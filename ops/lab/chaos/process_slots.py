"""Slots for processes that chaos kills and starts again, each forked and behind its own wires."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from runtime.cancelling import cancel_and_wait
from runtime.encoding import dump_json, parse_json
from runtime.failpoints import VARIABLE
from schema.errors import FteError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ops.lab.chaos.wires import Wire

POLL_SECONDS = 0.02
READY_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 30.0
RESTART_SECONDS = 0.25
"""How long a process stays dead: the supervisor's wait after a first death."""

Role = Literal["worker", "sender", "consumer"]


class ForkerFailed(FteError):
    """Processes that could not be started; names the log."""

    def __init__(self, reason: str, log: Path) -> None:
        super().__init__(f"chaos could not start its processes: {reason}; the log is {log}")


@dataclass(frozen=True)
class ForkedProcess:
    """One forked process."""

    pid: int
    ready: asyncio.Event
    end: asyncio.Future[int]
    """Its exit code, or minus the signal that ended it."""


class Forker:
    """Client of the program `ops.lab.chaos.forker`."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._process = process
        self._log = log
        self._born: asyncio.Queue[ForkedProcess] = asyncio.Queue()
        self._alive: dict[int, ForkedProcess] = {}
        self._forking = asyncio.Lock()

    async def listen(self) -> None:
        """Read the program's reports until it ends."""
        assert self._process.stdout is not None  # noqa: S101 - narrows the type; opened with PIPE
        async for line in self._process.stdout:
            fact: dict[str, Any] = parse_json(line)
            if "born" in fact:
                end = asyncio.get_running_loop().create_future()
                forked = self._alive[fact["born"]] = ForkedProcess(fact["born"], asyncio.Event(), end)
                self._born.put_nowait(forked)
            elif "ready" in fact:
                self._alive[fact["ready"]].ready.set()
            elif "died" in fact:
                self._alive.pop(fact["died"]).end.set_result(fact["code"])

    async def fork(self, order: dict[str, Any]) -> ForkedProcess:
        """Request one forked process and return it."""
        assert self._process.stdin is not None  # noqa: S101 - narrows the type; opened with PIPE
        async with self._forking:  # the forker reports births in the order of requests
            self._process.stdin.write(dump_json(order).encode() + b"\n")
            return await self._born.get()

    async def wait_ready(self, slots: Sequence[ProcessSlot]) -> None:
        """Wait until the process of every filled slot is ready; raises ForkerFailed."""
        try:
            async with asyncio.timeout(READY_SECONDS_MAX):
                while not all(slot.is_ready for slot in slots if slot.is_filled):
                    if self._process.returncode is not None:
                        raise ForkerFailed(f"the forker ended with code {self._process.returncode}", self._log)
                    await asyncio.sleep(POLL_SECONDS)
        except TimeoutError:
            missing = ", ".join(slot.log.name for slot in slots if slot.is_filled and not slot.is_ready)
            raise ForkerFailed(f"{missing}: not ready after {READY_SECONDS_MAX:.0f} s", self._log) from None


@dataclass
class ProcessSlot:
    """A slot for one process: its wires, its log, and the process in it now."""

    role: Role
    log: Path
    redis: Wire
    postgres: Wire
    environment: dict[str, str]
    arguments: list[str] = field(default_factory=list)
    restart_seconds: float = RESTART_SECONDS
    ends: dict[int, int] = field(default_factory=dict)
    """Exit code of each process so far, by pid; minus the signal."""
    failpoint: str | None = None
    """The failpoint of the next process here; `runtime.failpoints`."""
    changes: dict[str, str] = field(default_factory=dict)
    """Environment variables added for the next process here."""
    log_to: Path | None = None
    """The log of the next process here, in place of `log`."""
    _process: ForkedProcess | None = None
    _is_doomed: bool = False
    _keeping: asyncio.Task[None] | None = None
    _is_wanted: bool = False

    @property
    def folder(self) -> Path:
        """Return the folder in which its processes run."""
        return self.log.with_suffix("")

    @property
    def pid(self) -> int | None:
        """Return the pid of the process that is here now."""
        return self._process.pid if self._process else None

    @property
    def is_ready(self) -> bool:
        """Check whether the process here is ready."""
        return self._process is not None and self._process.ready.is_set()

    @property
    def is_doomed(self) -> bool:
        """Check whether the process here, or the next one, differs from the others: it has a failpoint, or changes."""
        return self._is_doomed or self._is_changed

    @property
    def killed(self) -> set[int]:
        """Return the pids of the processes that were killed here."""
        return {pid for pid, code in self.ends.items() if code == -signal.SIGKILL}

    def send(self, number: signal.Signals) -> bool:
        """Signal the process; return whether there was one."""
        if self.pid is None:
            return False
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)
            return True
        return False

    @property
    def is_filled(self) -> bool:
        """Check whether a process belongs here, and is started again when it ends."""
        return self._is_wanted

    def fill(self, forker: Forker) -> None:
        """Fill the slot, again each time its process has ended, until told to stop."""
        self._is_wanted = True
        self._keeping = asyncio.create_task(self._keep(forker))

    async def dismiss(self) -> int:
        """Stop the process for good and return its exit code. Raises TimeoutError."""
        pid = self.pid
        if pid is None or self._keeping is None:
            raise RuntimeError(f"nobody is at {self.log.stem} to be dismissed")
        self.stop()
        await asyncio.wait_for(asyncio.shield(self._keeping), STOP_SECONDS_MAX)
        return self.ends[pid]

    async def end(self) -> None:
        """Stop filling the slot, once its process has had time to finish."""
        if self._keeping is not None:
            await asyncio.wait([self._keeping], timeout=STOP_SECONDS_MAX)
            await cancel_and_wait(self._keeping)

    async def _keep(self, forker: Forker) -> None:
        while self._is_wanted:
            self._is_doomed = self._is_changed
            process = self._process = await forker.fork(self._order())
            code = await process.end
            self._process = None
            self.ends[process.pid] = code
            if self._is_wanted:
                await asyncio.sleep(self.restart_seconds)

    def stop(self) -> None:
        """Send SIGTERM to the process, and start no other."""
        self._is_wanted = False
        self.send(signal.SIGTERM)
        self.send(signal.SIGCONT)

    def _order(self) -> dict[str, Any]:
        environment = self.environment | self.changes
        if self.failpoint is not None:
            environment[VARIABLE] = self.failpoint
        return {
            "role": self.role,
            "environment": environment,
            "folder": str(self.folder),
            "log": str(self.log_to or self.log),
            "arguments": self.arguments,
        }

    @property
    def _is_changed(self) -> bool:
        return self.failpoint is not None or bool(self.changes) or self.log_to is not None
