"""Run the process's one asyncio loop on a thread of its own; Celery's threads hand their coroutines to it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

import uvloop

from runtime.cancelling import cancel_and_wait

Result = TypeVar("Result")


class LoopStopped(Exception):
    """The loop takes no more coroutines: its process is ending."""


class LoopThread:
    """Owns the loop to which every connection, model client and MCP session of the process belongs."""

    def __init__(self) -> None:
        self._loop = uvloop.new_event_loop()
        self._is_stopped = False
        self._entrance = threading.RLock()  # a signal may call in the midst of a call
        self._thread = threading.Thread(target=self._run, name="fte-loop", daemon=True)
        self._thread.start()

    def submit(self, coroutine: Coroutine[Any, Any, Result]) -> Future[Result]:
        """Start a coroutine on the loop; raises LoopStopped."""
        with self._entrance:
            if not self._is_stopped:
                return asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        coroutine.close()
        raise LoopStopped

    def run(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        """Run a coroutine on the loop and wait for it; raises what it raises, and LoopStopped."""
        return self.submit(coroutine).result()

    def stop(self) -> None:
        """Cancel what still runs on the loop, so that nobody waits for it; stop the loop and wait for its thread."""
        with self._entrance:
            if self._is_stopped:
                return
            self._is_stopped = True
        asyncio.run_coroutine_threadsafe(_end_the_rest(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()


async def _end_the_rest() -> None:
    await cancel_and_wait(*(asyncio.all_tasks() - {asyncio.current_task()}))
