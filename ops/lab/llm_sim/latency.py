"""Distributions of a simulated model's latency."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from worker.models.latency import LATENCY_MILLISECONDS_MAX, parse_latency

if TYPE_CHECKING:
    from random import Random

_LOGNORMAL = re.compile(r"lognormal:(\d{1,5}(?:\.\d+)?),(\d{1,5}(?:\.\d+)?)")

# The standard normal distribution's 95th percentile.
_Z95 = 1.6448536


@dataclass(frozen=True, slots=True)
class Uniform:
    """An even distribution between two limits, in milliseconds."""

    low: float
    high: float

    def draw_seconds(self, random: Random) -> float:
        """Draw a latency in seconds."""
        return random.uniform(self.low, self.high) / 1_000


@dataclass(frozen=True, slots=True)
class Lognormal:
    """The log-normal distribution with this median and 95th percentile, in milliseconds."""

    median: float
    p95: float

    def draw_seconds(self, random: Random) -> float:
        """Draw a latency in seconds; at most LATENCY_MILLISECONDS_MAX."""
        spread = math.log(self.p95 / self.median) / _Z95
        return min(random.lognormvariate(math.log(self.median), spread), LATENCY_MILLISECONDS_MAX) / 1_000


Latency = Uniform | Lognormal


def read_latency(text: str) -> Latency:
    """Parse `A..B`, `A` or `lognormal:MEDIAN,P95`, in milliseconds; raises ValueError."""
    found = _LOGNORMAL.fullmatch(text.strip())
    if found is not None:
        median, p95 = float(found[1]), float(found[2])
        if not 0 < median <= p95:
            raise ValueError(f"{text!r}: the median is above 0 and at most the 95th percentile")
        return Lognormal(median, p95)
    span = parse_latency(text)
    if span is None:
        raise ValueError(f"{text!r} is neither A..B nor lognormal:MEDIAN,P95, in milliseconds")
    return Uniform(*span)
