"""A worker's service for the length of its process: opened, started, and closed once, from Celery's threads."""

from __future__ import annotations

import os
import sys
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING

import structlog

from runtime.failpoints import read_failpoint
from runtime.garbage import settle_memory
from worker.process.loop import LoopStopped, LoopThread
from worker.process.service import WorkerService, open_service
from worker.process.watchdog import forget_still, still_loop

if TYPE_CHECKING:
    from collections.abc import Callable

    from runtime.loops import LoopHealth
    from schema.ids import ConversationKey
    from schema.settings import Settings
    from worker.process.drain import Ring

_log = structlog.get_logger("fte.worker")

_SWITCH_SECONDS = 0.0005


class RunningService:
    """Owns the event loop of a worker process and the service that lives on it; any thread may call it."""

    def __init__(self, settings: Settings, ring: Ring) -> None:
        """Open the service; raises ServerUnreachable, SchemaOutdated or InvalidSettings before any work starts."""
        self._settings = settings
        self._loop = LoopThread()
        try:
            self._service: WorkerService = self._loop.run(
                open_service(settings, ring, failpoint=read_failpoint(os.environ))
            )
        except BaseException:
            self._loop.stop()
            raise
        self._is_closed = False

    def start(self) -> None:
        """Start the loops that run beside the drains."""
        self._loop.run(_call(self._start))
        settle_memory()
        # Celery's thread would wait up to 5 ms for the loop's, at each step of taking a doorbell.
        sys.setswitchinterval(_SWITCH_SECONDS)
        _log.info("worker.ready", model=self._settings.model, concurrency=self._settings.concurrency)

    def drain(self, key: ConversationKey) -> None:
        """Drain a conversation, and wait until it is drained; a process that ends leaves it to others."""
        try:
            self._loop.run(self._service.drainer.drain(key))
        except (LoopStopped, CancelledError):
            _log.info("drain.left", tenant=key.tenant, conversation=key.conversation)

    def read_loops(self) -> list[LoopHealth]:
        """Return the health of each loop."""
        return self._service.servers.loops.health

    def begin_stop(self) -> None:
        """Take no more messages, and finish the turns under way; returns at once."""
        if not self._is_closed:
            self._loop.submit(_call(self._service.begin_stop))

    def close(self, *, at_once: bool = False) -> None:
        """Finish what is under way, or give it back `at_once`, and close every connection. A repeat does nothing."""
        if self._is_closed:
            return
        self._is_closed = True
        try:
            self._loop.run(self._service.close(at_once=at_once))
            forget_still()
            _log.info("worker.stopped")
        finally:
            self._loop.stop()

    def _start(self) -> None:
        self._service.start()
        self._service.servers.loops.start([still_loop(self._settings.still_seconds_max)])


async def _call(start: Callable[[], None]) -> None:
    start()
