"""Measure how much slower this machine runs just now than the one that time limits are promised on."""

from __future__ import annotations

import asyncio
import sys

PROCESSES = 2
"""Cores of the machine that limits are promised on, all of which must be free."""

REFERENCE_SECONDS = 0.3
"""How long the work takes there: each of two processes on two free cores."""

SLOWNESS_MAX = 6.0
"""Limits grow by no more than this: a machine slower than that shows nothing about time."""

# Work of the product's kind - interpreted code, small objects, JSON, hashing - in a process that does nothing else.
_WORK = """
import hashlib, json, time
began = time.perf_counter()
for number in range(35_000):
    text = json.dumps({"number": number, "words": ["seat", "14C", "please"], "at": number / 7})
    hashlib.sha256(text.encode()).hexdigest()
    json.loads(text)
    sum(place * 3 for place in range(60))
print(time.perf_counter() - began)
"""


async def measure_slowness() -> float:
    """Return how many times slower than the reference machine this one is, at least 1.0; takes 0.3 s of all cores.

    To be measured while nothing of the product is at work, so that what the product costs counts as its own.
    """
    seconds = await asyncio.gather(*(_work() for _ in range(PROCESSES)))
    return slowness_of(max(seconds))


def slowness_of(seconds: float) -> float:
    """Return the slowness that a time of the work means, from 1.0 to SLOWNESS_MAX."""
    return min(max(seconds / REFERENCE_SECONDS, 1.0), SLOWNESS_MAX)


async def _work() -> float:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-S", "-c", _WORK, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    return float(out)
