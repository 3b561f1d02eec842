"""Replace this process by another program that gets SIGTERM when the process that started it dies.

Run as a file, `python -I -S tether.py <parent pid> <program> <argument>...`, between the supervisor and a worker. A
wrapper rather than `preexec_fn`: Python code between fork and exec can deadlock in a parent with threads. exec keeps
the pid, so the supervisor sees the worker itself. Linux only; elsewhere it just becomes the program.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

# prctl(2), <linux/prctl.h>
PR_SET_PDEATHSIG = 1


def tether(parent_pid: int) -> None:
    """Ask the kernel for SIGTERM at the death of the parent, and end now when it is dead already.

    SIGTERM and not SIGKILL: a worker without its supervisor still finishes its turns.
    """
    if not sys.platform.startswith("linux"):
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    if os.getppid() != parent_pid:
        sys.exit(f"the supervisor (pid {parent_pid}) died before its worker started")


if __name__ == "__main__":
    tether(int(sys.argv[1]))
    os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606 - no shell is wanted; the argument list is the supervisor's
