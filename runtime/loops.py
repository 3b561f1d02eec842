"""Run the repeated work of a process as named, jittered, supervised loops that no error ends.

Every loop follows one rule. A server that is away is reported once for the whole process, and the loop tries again
after its usual interval. Any other error is logged with its trace, and the loop goes on after a pause that doubles
with each failure. A loop ends only when it is stopped. The state of each (`LoopHealth`) can be read at any time.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import structlog

from runtime.cancelling import cancel_and_wait
from runtime.jitter import jitter_below
from runtime.outage import POSTGRESQL_AWAY, is_redis_away

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from runtime.outage import Outage, Outages

BACKOFF_SECONDS_MAX = 30.0
"""Longest pause after an unexpected error, unless the loop's own interval is longer."""

_JITTER_SHARE = 0.3
"""By which fraction a pause may be shorter than the interval, so that several processes do not run in step."""

_log = structlog.get_logger("fte.loops")


class RoundMissed(Exception):
    """Raised by a round that could not do its work and has logged why; the loop goes on as after any other round."""


@dataclass(frozen=True)
class LoopHealth:
    """The state of one loop: how often it ran, how often it failed, and when it last succeeded.

    `last_success_at` and `begun_at` are monotonic seconds of this process. Rounds that belong to another process
    (`Loop.on_duty`) count as neither.
    """

    name: str
    interval_seconds: float
    begun_at: float | None = None
    runs: int = 0
    failures: int = 0
    failures_in_a_row: int = 0
    last_success_at: float | None = None
    is_on_duty: bool = True
    """Whether the next round is this process's to do, as of now."""


@dataclass(frozen=True)
class Loop:
    """One repeated job of a process: `do` is a round, and a round is due each `interval_seconds`, jittered.

    `wait` replaces the sleep before a round; it is given the seconds that the sleep would last. `on_duty` tells whether
    the next round is this process's to do. `after_outage` runs once when a round succeeds again.
    """

    name: str
    do: Callable[[], Awaitable[object]]
    interval_seconds: float
    wait: Callable[[float], Awaitable[object]] = asyncio.sleep
    on_duty: Callable[[], bool] = lambda: True
    after_outage: Callable[[], Awaitable[object]] | None = None
    asks: Outage | None = None
    """The outage of the server that a successful round has reached."""
    at_once: bool = False
    """Whether the first round begins without waiting."""
    backoff_seconds_max: float = BACKOFF_SECONDS_MAX
    """Longest pause after an unexpected error; 0 for a loop whose rounds may never be late: its interval."""


class Loops:
    """Supervises the loops of one process on one event loop."""

    def __init__(self, outages: Outages) -> None:
        self.outages = outages
        self._health: dict[str, LoopHealth] = {}
        self._loops: dict[str, Loop] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._stopping = False

    def start(self, loops: Sequence[Loop]) -> None:
        """Start loops, each under a name of its own; raises ValueError for a name that is taken."""
        for loop in loops:
            if loop.name in self._health:
                raise ValueError(f"a loop called {loop.name!r} runs already")
            self._loops[loop.name] = loop
            self._health[loop.name] = LoopHealth(loop.name, loop.interval_seconds, begun_at=time.monotonic())
            self._begin(loop)

    async def stop(self) -> None:
        """Cancel every loop, in the middle of a round if need be."""
        self._stopping = True
        await cancel_and_wait(*self._tasks.values())

    @property
    def health(self) -> list[LoopHealth]:
        """Return the state of each loop now, in the order in which they were started."""
        return [
            replace(health, is_on_duty=self._loops[health.name].on_duty()) for health in list(self._health.values())
        ]

    def _begin(self, loop: Loop) -> None:
        task = asyncio.create_task(self._run(loop), name=loop.name)
        self._tasks[loop.name] = task
        task.add_done_callback(lambda ended: self._after_end(loop, ended))

    def _after_end(self, loop: Loop, ended: asyncio.Task[None]) -> None:
        """Restart a loop that ended unasked: somebody cancelled its task, or the supervision itself has a bug."""
        if self._stopping:
            return
        error = None if ended.cancelled() else ended.exception()
        _log.error("loop.ended", loop=loop.name, exc_info=error)
        self._note(loop, failed=True)
        asyncio.get_running_loop().call_later(loop.interval_seconds, self._begin_again, loop)

    def _begin_again(self, loop: Loop) -> None:
        if not self._stopping:
            self._begin(replace(loop, at_once=True))

    async def _run(self, loop: Loop) -> None:
        pause_seconds = 0.0 if loop.at_once else jitter_below(loop.interval_seconds, _JITTER_SHARE)
        wait = asyncio.sleep if loop.at_once else loop.wait
        was_away = False
        while True:
            try:
                await wait(pause_seconds)
                if loop.on_duty():
                    await loop.do()
                    if was_away and loop.after_outage is not None:
                        await loop.after_outage()
                    self._note(loop, failed=False)
                was_away = False
                pause_seconds, wait = jitter_below(loop.interval_seconds, _JITTER_SHARE), loop.wait
            except BaseException as error:
                if not _is_failure(error):
                    raise
                was_away = was_away or _is_away(error)
                pause_seconds = self._fail(loop, error)
                # A sleep, because the loop's own `wait` may be what failed.
                wait = loop.wait if isinstance(error, RoundMissed) else asyncio.sleep

    def _fail(self, loop: Loop, error: BaseException) -> float:
        """Record and report a failed round; return the pause before the next one, in seconds."""
        health = self._note(loop, failed=True)
        if isinstance(error, RoundMissed):
            return 0.0
        if _is_away(error):
            self.outages.begins(error)
            return jitter_below(loop.interval_seconds, _JITTER_SHARE)
        longest = max(loop.interval_seconds, loop.backoff_seconds_max)
        pause_seconds = min(longest, loop.interval_seconds * 2.0 ** min(health.failures_in_a_row - 1, 32))
        _log.error("loop.failed", loop=loop.name, pause_seconds=round(pause_seconds, 1), exc_info=error)
        return jitter_below(pause_seconds, _JITTER_SHARE)

    def _note(self, loop: Loop, *, failed: bool) -> LoopHealth:
        before = self._health[loop.name]
        if failed:
            in_a_row = before.failures_in_a_row + 1
            now = replace(before, runs=before.runs + 1, failures=before.failures + 1, failures_in_a_row=in_a_row)
        else:
            now = replace(before, runs=before.runs + 1, failures_in_a_row=0, last_success_at=time.monotonic())
            if loop.asks is not None:
                loop.asks.ends()
        self._health[loop.name] = now
        return now


def _is_failure(error: BaseException) -> bool:
    """Check whether an error is the round's: not the loop's own cancellation, nor what ends the whole process."""
    if isinstance(error, asyncio.CancelledError):
        task = asyncio.current_task()
        return task is not None and not task.cancelling()  # else something that the round waited for was cancelled
    return isinstance(error, Exception)


def _is_away(error: BaseException) -> bool:
    return isinstance(error, (OSError, *POSTGRESQL_AWAY)) or is_redis_away(error)
