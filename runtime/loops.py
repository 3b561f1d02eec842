"""Run what a process repeats for as long as it lives: named, jittered, supervised loops that no error ends.

Every loop follows one rule. A server that is away is said once for the whole process, and the loop looks again after
its usual interval. Any other error is logged with its trace, and the loop goes on after a pause that doubles from
failure to failure. A loop ends only when it is stopped. What is known of each (`LoopHealth`) can be read at any time.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import structlog
from redis.exceptions import TimeoutError as RedisTimeoutError

from runtime.cancelling import cancel_and_wait
from runtime.jitter import jitter_below
from runtime.outage import POSTGRESQL_AWAY, is_redis_away

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from runtime.outage import Outage, Outages

BACKOFF_SECONDS_MAX = 30.0
"""Longest pause after an unexpected error, unless the loop's own interval is longer."""

_JITTER_SHARE = 0.3
"""By how much a pause may be shorter than the interval: several processes must not beat alike."""

_log = structlog.get_logger("fte.loops")


class RoundMissed(Exception):
    """A round could not do its work, and has said so itself; the loop goes on as after any other."""


@dataclass(frozen=True)
class LoopHealth:
    """What is known of one loop: how often it ran, how often it failed, and when it last did its work.

    `last_success_at` and `begun_at` are monotonic seconds of this process. Rounds that are another process's to do
    (`Loop.on_duty`) count as neither.
    """

    name: str
    interval_seconds: float
    begun_at: float | None = None
    runs: int = 0
    failures: int = 0
    failures_in_a_row: int = 0
    last_success_at: float | None = None


@dataclass(frozen=True)
class Loop:
    """One thing that a process repeats: `do` is a round, and a round is due each `interval_seconds`, jittered.

    `wait` waits for the next round in place of a sleep; it is given the seconds that a sleep would last. `on_duty` says
    whether the next round is this process's to do. `after_outage` runs once when a round succeeds again.
    """

    name: str
    do: Callable[[], Awaitable[object]]
    interval_seconds: float
    wait: Callable[[float], Awaitable[object]] = asyncio.sleep
    on_duty: Callable[[], bool] = lambda: True
    after_outage: Callable[[], Awaitable[object]] | None = None
    asks: Outage | None = None
    """The server that a round which succeeds has reached."""
    at_once: bool = False
    """Whether the first round begins without waiting."""
    backoff_seconds_max: float = BACKOFF_SECONDS_MAX
    """Longest pause after an unexpected error; 0 for a loop whose rounds may never be late: its interval."""


class Loops:
    """Supervises the loops of one process on one event loop; `reconnect` drops connections that have gone silent."""

    def __init__(self, outages: Outages, reconnect: Callable[[], Awaitable[None]] | None = None) -> None:
        self.outages = outages
        self._reconnect = reconnect
        self._health: dict[str, LoopHealth] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._stopping = False

    def start(self, loops: Sequence[Loop]) -> None:
        """Start loops; each has a name of its own. Raises ValueError for a name that is taken."""
        for loop in loops:
            if loop.name in self._health:
                raise ValueError(f"a loop called {loop.name!r} runs already")
            self._health[loop.name] = LoopHealth(loop.name, loop.interval_seconds, begun_at=time.monotonic())
            self._begin(loop)

    async def stop(self) -> None:
        """End every loop, in the midst of a round if need be."""
        self._stopping = True
        await cancel_and_wait(*self._tasks.values())

    @property
    def health(self) -> list[LoopHealth]:
        """Give what is known of each loop now, in the order in which they were started."""
        return list(self._health.values())

    def _begin(self, loop: Loop) -> None:
        task = asyncio.create_task(self._run(loop), name=loop.name)
        self._tasks[loop.name] = task
        task.add_done_callback(lambda ended: self._after_end(loop, ended))

    def _after_end(self, loop: Loop, ended: asyncio.Task[None]) -> None:
        """Start a loop anew that ended unasked: somebody cancelled its task, or the supervision itself has a bug."""
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
                pause_seconds = await self._fail(loop, error)
                # A sleep, because the loop's own `wait` may be what failed.
                wait = loop.wait if isinstance(error, RoundMissed) else asyncio.sleep

    async def _fail(self, loop: Loop, error: BaseException) -> float:
        """Note a round that failed and say so; gives the pause before the next one."""
        health = self._note(loop, failed=True)
        if isinstance(error, RoundMissed):
            return 0.0
        if _is_away(error):
            self.outages.begins(error)
            if isinstance(error, RedisTimeoutError) and self._reconnect is not None:
                await self._reconnect()
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
    """Say whether an error is the round's: not the loop's own cancellation, nor what ends the whole process."""
    if isinstance(error, asyncio.CancelledError):
        task = asyncio.current_task()
        return task is not None and not task.cancelling()  # else something that the round waited for was cancelled
    return isinstance(error, Exception)


def _is_away(error: BaseException) -> bool:
    return isinstance(error, (OSError, *POSTGRESQL_AWAY)) or is_redis_away(error)
