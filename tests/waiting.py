"""Wait for a condition, with a deadline, instead of sleeping for a while."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable


async def eventually(check: Callable[[], Awaitable[bool]], *, within_seconds: float = 10) -> None:
    """Poll until `check` holds; raises TimeoutError after `within_seconds`."""
    async with asyncio.timeout(within_seconds):
        while not await check():  # noqa: ASYNC110 - what is waited for is in another process, or in a server
            await asyncio.sleep(0.02)
