"""Choose loopback ports that stay ours while a server is down."""

from __future__ import annotations

import random
import socket
from pathlib import Path

LOOPBACK = "127.0.0.1"
# Outside the ranges systems lend to outgoing connections (Linux 32768, macOS and others 49152 and up).
PORT_LOWEST = 20_000
PORT_HIGHEST = 29_999
LINUX_EPHEMERAL_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
PROBES_MAX = 200


def port_is_free(port: int) -> bool:
    """Check whether a server could listen on a loopback port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # The servers set it too: without it, connections in TIME_WAIT would make a port look taken after a restart.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def choose_port(preferred: int | None) -> int:
    """Return the preferred port when it is free, else a free one drawn at random.

    The kernel's own choice (port 0) is not taken: it comes from the range of outgoing connections, where a client that
    retries against a stopped server ends up connected to itself and keeps the server from coming back.

    Raises:
        OSError: no free port was found in `PROBES_MAX` draws.

    """
    if preferred is not None and port_is_free(preferred):
        return preferred
    for _ in range(PROBES_MAX):
        port = random.randint(PORT_LOWEST, _highest_port())  # noqa: S311 - spreads stacks apart, guards nothing
        if port_is_free(port):
            return port
    message = f"no free loopback port between {PORT_LOWEST} and {_highest_port()} in {PROBES_MAX} draws"
    raise OSError(message)


def _highest_port() -> int:
    """Return the highest port to draw, below the range of outgoing ports where somebody widened it downwards."""
    if LINUX_EPHEMERAL_RANGE.exists():
        lowest_lent = int(LINUX_EPHEMERAL_RANGE.read_text(encoding="utf-8").split()[0])
        if lowest_lent > PORT_LOWEST + PROBES_MAX:
            return min(PORT_HIGHEST, lowest_lent - 1)
    return PORT_HIGHEST
