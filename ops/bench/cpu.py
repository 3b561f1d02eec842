"""Count the CPU time of this process and of all it started."""

from __future__ import annotations

import psutil


def cpu_seconds() -> float:
    """Sum user and system seconds of this process and its descendants, those that ended included."""
    seconds = 0.0
    this = psutil.Process()
    for process in [this, *this.children(recursive=True)]:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue  # its parent's children times hold it now
        seconds += times.user + times.system + times.children_user + times.children_system
    return seconds
