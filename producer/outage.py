"""Say once in the log that a server does not answer, and once that it answers again."""

from __future__ import annotations

from typing import Any

import structlog

_log = structlog.get_logger("fte.producer")


class Outage:
    """Remember whether a server is away: a thousand refused messages are one fact, not a thousand lines."""

    def __init__(self, server: str, address: str) -> None:
        self._server = server
        self._address = address
        self._away = False

    def begins(self, error: BaseException, **fields: Any) -> None:
        """Note that the server did not answer."""
        if not self._away:
            _log.warning(f"{self._server}.unreachable", address=self._address, error=type(error).__name__, **fields)
        self._away = True

    def ends(self) -> None:
        """Note that the server answered."""
        if self._away:
            _log.info(f"{self._server}.reachable", address=self._address)
        self._away = False
