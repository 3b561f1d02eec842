"""Notice silence: conversations that nobody takes up while slots are free, and a process that stands still."""

from __future__ import annotations

import asyncio
import faulthandler
from typing import TYPE_CHECKING

import structlog
from redis.exceptions import RedisError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from runtime.outage import Outages
    from schema.settings import Settings
    from worker.mailbox.mailbox import Mailbox
    from worker.process.drain import Drainer

_log = structlog.get_logger("fte.watchdog")


class Watchdog:
    """Look at the agenda from outside of rescue: what is long overdue although this process has free slots is a fault.

    Nothing else would say so: no call fails, nothing is refused, customers just hear nothing. It is logged, counted
    and taken up from here. The process is not ended for it: the loop runs, its turns are well, and whatever keeps
    rescue from its work (a server that is away, an error that is logged) would meet the next process as well.
    """

    def __init__(
        self,
        settings: Settings,
        mailbox: Mailbox,
        drainer: Drainer,
        take_up: Callable[[], Awaitable[int]],
        outages: Outages,
    ) -> None:
        self._silence_seconds = settings.silence_seconds_max
        self._mailbox = mailbox
        self._drainer = drainer
        self._take_up = take_up
        self._outages = outages
        self.silences = 0
        """How often silence was found by this process."""

    async def run(self) -> None:
        """Look for ever, until cancelled."""
        while True:
            await asyncio.sleep(self._silence_seconds / 2)
            try:
                await self.look()
            except (RedisError, OSError) as error:
                self._outages.begins(error)
            except Exception:  # noqa: BLE001 - a watchdog that ends is none; the fact is logged with its trace
                _log.exception("watchdog.failed")

    async def look(self) -> int:
        """Look once; gives how many conversations have waited too long although this process has slots for them."""
        overdue = await self._mailbox.count_overdue(self._silence_seconds)
        if not overdue or not self._drainer.free_slots:
            return 0
        self.silences += 1
        _log.error(
            "watchdog.silence",
            conversations=overdue,
            overdue_seconds=self._silence_seconds,
            free_slots=self._drainer.free_slots,
            silences=self.silences,
        )
        await self._take_up()
        return overdue


async def end_when_still(seconds_max: float) -> None:
    """End this process when its loop stands still for that long; its supervisor starts another. Runs until cancelled.

    A loop that stands still answers nobody and renews no lease: its conversations are others' by then, and no code on
    the loop can mend it. The timer is the interpreter's own (`faulthandler`): it needs no thread of Python, so it also
    ends a process that is caught in one long C call. It writes every thread's stack to stderr first: names and lines.
    A process that was stopped for longer (SIGSTOP, a suspended machine) ends as well when it goes on.
    """
    try:
        while True:
            faulthandler.dump_traceback_later(seconds_max, exit=True)
            await asyncio.sleep(seconds_max / 10)
    finally:
        faulthandler.cancel_dump_traceback_later()
