"""Count the CPU time of this process and of all it started."""

from __future__ import annotations

import os
from collections import Counter

import psutil


def cpu_seconds() -> Counter[str]:
    """Sum user and system seconds of this process and its descendants by what they are, those that ended included."""
    seconds: Counter[str] = Counter()
    this = psutil.Process()
    for process in [this, *this.children(recursive=True)]:
        try:
            name = _kind(process)
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue  # its parent's children times hold it now
        seconds[name] += times.user + times.system + times.children_user + times.children_system
    return seconds


def _kind(process: psutil.Process) -> str:
    if process.pid == os.getpid():
        return "sender and reader"
    name = process.name()
    if "postgres" in name:
        return "PostgreSQL"
    return "Redis" if "redis" in name else "worker"
