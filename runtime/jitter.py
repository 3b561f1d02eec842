"""Draw jittered waits, so that many processes or callers do not act at the same moment."""

from __future__ import annotations

import random


def jitter_below(seconds: float, share: float) -> float:
    """Return a random wait of at most `seconds`, shorter by at most the fraction `share` (0 to 1)."""
    return seconds * random.uniform(1.0 - share, 1.0)  # noqa: S311 - spreads load


def jitter_above(seconds: float, share: float) -> float:
    """Return a random wait of at least `seconds`, longer by at most the fraction `share`."""
    return seconds * random.uniform(1.0, 1.0 + share)  # noqa: S311 - spreads load
