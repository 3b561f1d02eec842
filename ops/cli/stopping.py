"""End a running command by signals."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from runtime.cancelling import cancel_and_wait

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def interrupted_by_signals() -> Iterator[None]:
    """Raise KeyboardInterrupt in the block at the first SIGINT, SIGTERM or SIGHUP, and ignore those that follow.

    An impatient second Ctrl-C would otherwise cut the cleaning up short, and leave servers behind.
    """
    interrupted = False

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        nonlocal interrupted
        if not interrupted:
            interrupted = True
            raise KeyboardInterrupt

    before: dict[signal.Signals, Any] = {number: signal.signal(number, interrupt) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, action in before.items():
            signal.signal(number, action)


async def run_until_signalled(work: Coroutine[Any, Any, None]) -> None:
    """Run until the work is done, or SIGINT, SIGTERM or SIGHUP ends it."""
    signalled = signalled_event()
    working = asyncio.create_task(work)
    waiting = asyncio.create_task(signalled.wait())
    await asyncio.wait({working, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if signalled.is_set():
        await cancel_and_wait(working)
    else:
        await working


def signalled_event() -> asyncio.Event:
    """Return an event of the running loop that SIGINT, SIGTERM or SIGHUP sets, instead of what they do otherwise."""
    loop = asyncio.get_running_loop()
    signalled = asyncio.Event()
    for number in _SIGNALS:
        loop.add_signal_handler(number, signalled.set)
    return signalled
