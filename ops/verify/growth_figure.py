"""One quantity that must not grow under a steady load, as it was measured."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GrowthFigure:
    """One measured quantity: its median after the warm-up and at the end, its maximum, and its limit at the end.

    `allowed` None: it is shown without a limit.
    """

    name: str
    first: float
    last: float
    most: float
    allowed: float | None

    @property
    def has_grown(self) -> bool:
        """Check whether it is above its limit."""
        return self.allowed is not None and self.last > self.allowed
