"""Simulate the latency of a real model in the embedded ones, for load tests."""

from __future__ import annotations

import asyncio
import random
import re
from contextvars import ContextVar

LATENCY_MILLISECONDS_MAX = 60_000

simulated_latency: ContextVar[tuple[float, float] | None] = ContextVar("simulated_latency", default=None)
"""Bounds, in milliseconds, of the latency of this turn's calls of an embedded model; None: no wait."""

_RANGE = re.compile(r"(\d{1,6}(?:\.\d+)?)(?:\.\.(\d{1,6}(?:\.\d+)?))?")


def parse_latency(text: str | None) -> tuple[float, float] | None:
    """Parse `200..800` or `500`, in milliseconds; at most LATENCY_MILLISECONDS_MAX.

    Returns None for anything else: it is in a message's metadata, and a load generator's typing error must not cost
    the message its answer.
    """
    found = _RANGE.fullmatch(text.strip()) if text else None
    if found is None:
        return None
    low = float(found[1])
    high = float(found[2] or found[1])
    if not low <= high <= LATENCY_MILLISECONDS_MAX:
        return None
    return low, high


async def wait_as_long_as_simulated() -> None:
    """Sleep for a time drawn evenly from the range in force; return at once when there is none."""
    span = simulated_latency.get()
    if span is not None:
        await asyncio.sleep(random.uniform(*span) / 1_000)  # noqa: S311 - no secret depends on it
