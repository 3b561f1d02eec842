"""Measure the CPU time of this process and its descendants."""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import dataclass

import psutil


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


def _kind(process: psutil.Process) -> str:
    if process.pid == os.getpid():
        return "this process"
    name = process.name()
    if "postgres" in name:
        return "PostgreSQL"
    return "Redis" if "redis" in name else "worker"
