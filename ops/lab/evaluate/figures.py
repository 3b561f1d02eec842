"""Measured values, and what they should have been."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Target:
    """Bound that a figure must keep."""

    sense: Literal["≥", "≤"]
    bound: float

    def is_met(self, value: float) -> bool:
        """Judge a value."""
        return value >= self.bound if self.sense == "≥" else value <= self.bound


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value; without a target it is there to be read, not to be met."""

    group: str
    name: str
    value: float
    out_of: int
    """How many labelled things the value was measured on."""
    target: Target | None = None
    unit: Literal["share", "ms", "count"] = "share"

    @property
    def is_missed(self) -> bool:
        """Check whether the value is not what it should be."""
        return self.target is not None and not self.target.is_met(self.value)

    def show(self, value: float) -> str:
        """Write a value of this figure's unit."""
        return {"share": f"{value:.3f}", "ms": f"{value:.2f} ms", "count": f"{value:.2f}"}[self.unit]


@dataclass(frozen=True, slots=True)
class Miss:
    """Name one labelled thing that was judged differently; the text is the set's, so for the terminal only."""

    group: str
    row: str
    said: str
    text: str


@dataclass(frozen=True, slots=True)
class Measured:
    """The figures of one kind of set, and what they were missed by."""

    figures: tuple[Figure, ...]
    misses: tuple[Miss, ...]


def share(part: int, whole: int) -> float:
    """Divide; nothing of nothing is nothing."""
    return part / whole if whole else 0.0


def count_shares(judged: Iterable[bool]) -> tuple[float, int]:
    """Return the share of true ones, and how many there were."""
    listed = list(judged)
    return share(sum(listed), len(listed)), len(listed)
