"""Detect conversations that nobody takes up while slots are free, and a process that stands still."""

from __future__ import annotations

import faulthandler
from typing import TYPE_CHECKING

import structlog

from runtime.loops import Loop

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from schema.settings.process import WatchSettings
    from worker.mailbox.mailbox import Mailbox
    from worker.process.drain import Drainer

_log = structlog.get_logger("fte.watchdog")


class Watchdog:
    """Reports what is long overdue on the agenda although this process has free slots; works apart from rescue.

    Nothing else would report it: no call fails, nothing is refused, customers just hear nothing. It is logged, counted
    and taken up from here. The process is not ended for it: the loop runs, its turns are well, and whatever keeps
    rescue from its work (a server that is away, an error that is logged) would meet the next process as well.
    """

    def __init__(
        self,
        settings: WatchSettings,
        mailbox: Mailbox,
        drainer: Drainer,
        take_up: Callable[[], Awaitable[int]],
    ) -> None:
        self._silence_seconds = settings.silence_seconds_max
        self._mailbox = mailbox
        self._drainer = drainer
        self._take_up = take_up
        self.silences = 0
        """How often silence was found by this process."""

    def loop(self) -> Loop:
        """Return the loop that looks."""
        return Loop("watchdog", self.look, self._silence_seconds / 2)

    async def look(self) -> int:
        """Look once; returns how many conversations have waited too long although this process has slots for them."""
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


def still_loop(seconds_max: float) -> Loop:
    """Return the loop that ends this process when its event loop stands still that long; a supervisor starts another.

    A loop that stands still answers nobody and renews no lease: its conversations are others' by then, and no code on
    the loop can mend it. The timer is the interpreter's own (`faulthandler`): it needs no thread of Python, so it also
    ends a process that is caught in one long C call. It writes every thread's stack to stderr first: names and lines.
    A process that was stopped for longer (SIGSTOP, a suspended machine) ends as well when it goes on.
    `forget_still` cancels the timer.
    """

    async def put_off() -> None:
        faulthandler.dump_traceback_later(seconds_max, exit=True)

    return Loop("still", put_off, seconds_max / 10, at_once=True, backoff_seconds_max=0)


def forget_still() -> None:
    """Cancel the timer of `still_loop`, which nobody puts off any more."""
    faulthandler.cancel_dump_traceback_later()
