"""Cancel asyncio tasks reliably."""

from __future__ import annotations

import asyncio
from typing import Any

_CANCEL_SECONDS = 0.2


async def cancel_and_wait(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks until they have ended; what they raise is ignored.

    Until Python 3.12, asyncio.wait_for (in the Redis client) drops a cancellation that comes together with its result,
    so one may not be enough.
    """
    pending = {task for task in tasks if not task.done()}
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=_CANCEL_SECONDS)
