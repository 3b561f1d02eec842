"""Parse where a process listens."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlsplit


class Listening(NamedTuple):
    """Where a process listens."""

    host: str
    port: int
    """0: any that is free."""


def parse_listening(text: str) -> Listening:
    """Parse `127.0.0.1:8080` or `[::1]:8080`; raises ValueError saying what it must be."""
    try:
        parts = urlsplit(f"//{text}")
        if parts.hostname and parts.port is not None and not (parts.path or parts.query or parts.username):
            return Listening(parts.hostname, parts.port)
    except ValueError:
        pass
    raise ValueError("an address and a port, such as 127.0.0.1:8080 or [::1]:8080")
