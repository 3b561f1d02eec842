"""Run what a process has claimed: so many tasks at once, few of them for one owner, and woken when something is due."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

import structlog

from runtime.cancelling import cancel_and_wait

if TYPE_CHECKING:
    from collections.abc import Coroutine

SETTLE_SECONDS = 10.0
"""How much longer than an attempt may take its claim holds: after that another process repeats it."""

_log = structlog.get_logger("fte.delivery")


class ClaimedTasks:
    """The claimed work under way in one process; `each_max` is the most that one owner (a target, an account) has."""

    def __init__(self, name: str, *, tasks_max: int, each_max: int) -> None:
        self._name = name
        self._tasks_max = tasks_max
        self.each_max = each_max
        self._under_way: dict[asyncio.Task[None], str] = {}
        self._due = asyncio.Event()

    @property
    def room(self) -> int:
        """Return how many more tasks may be begun."""
        return max(0, self._tasks_max - len(self._under_way))

    @property
    def busy(self) -> list[str]:
        """Return the owners that have as much under way as they may have."""
        return [owner for owner, count in Counter(self._under_way.values()).items() if count >= self.each_max]

    def begin(self, owner: str, work: Coroutine[None, None, None]) -> None:
        """Begin a task; when it ends, whoever waits looks for more."""
        task = asyncio.create_task(work, name=self._name)
        self._under_way[task] = owner
        task.add_done_callback(self._end)

    def wake(self) -> None:
        """Look for what is due now, and not at the next interval."""
        self._due.set()

    async def wait(self, seconds: float) -> None:
        """Wait until there may be something to do, or for so many seconds."""
        try:
            async with asyncio.timeout(seconds):
                await self._due.wait()
        except TimeoutError:
            pass
        self._due.clear()

    async def finish(self, seconds_max: float) -> None:
        """Let what is under way end, for so many seconds; what is cut off then is done again by another process."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=seconds_max)
        await cancel_and_wait(*self._under_way)

    def _end(self, task: asyncio.Task[None]) -> None:
        del self._under_way[task]
        if not task.cancelled() and task.exception() is not None:
            _log.error(f"{self._name}.failed", exc_info=task.exception())
        self.wake()
