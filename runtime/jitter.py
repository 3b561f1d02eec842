"""Draw waits that differ a little, so that many processes or callers do not act in the same moment."""

from __future__ import annotations

import random


def jitter_below(seconds: float, share: float) -> float:
    """Draw a wait that is no longer than `seconds`, and shorter by at most `share` (0 to 1) of them."""
    return seconds * random.uniform(1.0 - share, 1.0)  # noqa: S311 - spreads load


def jitter_above(seconds: float, share: float) -> float:
    """Draw a wait that is no shorter than `seconds`, and longer by at most `share` of them."""
    return seconds * random.uniform(1.0, 1.0 + share)  # noqa: S311 - spreads load
