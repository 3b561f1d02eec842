"""Set up Python's garbage collector for a process that loads much and then serves many requests or turns at once."""

from __future__ import annotations

import gc
from typing import Final

_THRESHOLDS: Final = (50_000, 20, 20)


def expect_much() -> None:
    """Raise the thresholds of the garbage collector; call it before much is loaded.

    With the default ones, full collections walk what was loaded so far again and again, for nothing: a sixth of the CPU
    that a worker takes to start.
    """
    gc.set_threshold(*_THRESHOLDS)


def settle_memory() -> None:
    """Freeze what stays in memory, and raise the thresholds of the garbage collector; call it when all is loaded.

    Hundreds of turns or requests are alive at once, and nearly all they allocate is freed by counting references: with
    the default thresholds every full collection walks all of it for nothing, which took a fifth of a worker's CPU.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
