"""Measure the CPU time of this process and its descendants."""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True)
class CpuRound:
    """One round: messages answered, seconds it took, CPU seconds by kind of process."""

    messages: int
    seconds: float
    cpu: dict[str, float]

    @property
    def cpu_seconds(self) -> float:
        """Return the CPU seconds of all processes."""
        return sum(self.cpu.values())

    @property
    def cpu_seconds_per_message(self) -> float:
        """Return the CPU seconds of all processes per message."""
        return self.cpu_seconds / self.messages


def cpu_seconds() -> dict[str, float]:
    """Return user and system seconds of this process and its descendants by kind, including those that ended."""
    seconds: dict[str, float] = defaultdict(float)
    this = psutil.Process()
    for process in [this, *this.children(recursive=True)]:
        try:
            name = _kind(process)
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue  # its parent's children times hold it now
        seconds[name] += times.user + times.system + times.children_user + times.children_system
    return seconds


def spent_since(before: dict[str, float]) -> dict[str, float]:
    """Return the CPU seconds spent since an earlier count, by kind of process."""
    return {name: seconds - before.get(name, 0.0) for name, seconds in cpu_seconds().items()}


@dataclass(frozen=True, slots=True)
class ThreadTimes:
    """How long threads ran, and how long they could have run and waited for a processor, by process, in seconds."""

    by_process: Mapping[int, Mapping[str, tuple[float, float]]]

    def busiest_since(self, before: ThreadTimes) -> tuple[float, float]:
        """Return for how long each process's busiest thread ran and waited since an earlier look, added up."""
        ran = waited = 0.0
        for pid, threads in self.by_process.items():
            old = before.by_process.get(pid, {})
            since = [
                (times[0] - old.get(thread, (0.0, 0.0))[0], times[1] - old.get(thread, (0.0, 0.0))[1])
                for thread, times in threads.items()
            ]
            run, wait = max(since, default=(0.0, 0.0))
            ran, waited = ran + run, waited + wait
        return ran, waited


def read_thread_times(pids: Iterable[int]) -> ThreadTimes:
    """Return how long the threads of these processes ran and waited; none where no system tells: outside Linux."""
    by_process: dict[int, dict[str, tuple[float, float]]] = {}
    for pid in pids:
        threads = by_process[pid] = {}
        for file in Path(f"/proc/{pid}/task").glob("*/schedstat"):
            try:
                ran, waited, _ = map(int, file.read_text(encoding="ascii").split())
            except (OSError, ValueError):
                continue  # a thread that has just ended
            threads[file.parent.name] = ran / 1e9, waited / 1e9
    return ThreadTimes(by_process)


def _kind(process: psutil.Process) -> str:
    if process.pid == os.getpid():
        return "this process"
    name = process.name()
    if "postgres" in name:
        return "PostgreSQL"
    return "Redis" if "redis" in name else "worker"
