"""The figures of a deployment that decide how long messages wait in it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ops.lab.llm_sim.latency import Latency, Uniform

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

CALLS_MAX: Final = 100


@dataclass(frozen=True, slots=True)
class Exponential:
    """An exponential distribution with this mean, in milliseconds: what formulas of queues assume."""

    mean: float

    def draw_seconds(self, random: Random) -> float:
        """Draw a time in seconds."""
        return random.expovariate(1_000 / self.mean)


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedSystem:
    """Workers, cores, and what a turn takes of them."""

    model: Latency | Exponential = field(default_factory=lambda: Uniform(1_000, 1_000))
    """How long a model call takes."""
    calls: Mapping[int, float] = field(default_factory=lambda: {2: 1.0})
    """How many model calls a turn makes, each number with its weight."""
    worker_cpu_ms: float = 27.0
    """CPU of a turn in its worker process, which works on one turn at a time."""
    shared_cpu_ms: float = 13.0
    """CPU of a turn elsewhere on the same cores: PostgreSQL, Redis, gateways."""
    io_ms: float = 0.0
    """Time of a turn in which neither a processor nor a model works: disks and networks."""
    workers: int = 2
    concurrency: int = 256
    """Slots of each worker: turns it has under way at most."""
    cores: int = 2
    others_runnable: float = 0.0
    """Tasks of somebody else that always want one of the processors."""
    tenants: int = 1
    tenant_share_max: float = 0.8
    """Part of a worker's slots that one tenant may have, where there are several."""
    burst_messages_max: int = 10
    overtaken_max: int = 2
    """How often a turn starts over because a message of its conversation came meanwhile."""
    late_seconds: float = 3.0
    """Wait of a turn's first message from which it does not start over."""

    @property
    def slots(self) -> int:
        """Return how many turns may be under way at once."""
        return self.workers * self.concurrency

    @property
    def tenant_slots(self) -> int:
        """Return how many slots of a worker one tenant may have."""
        return self.concurrency if self.tenants == 1 else max(1, int(self.concurrency * self.tenant_share_max))

    def draw_calls(self, random: Random) -> int:
        """Draw how many model calls a turn makes."""
        return random.choices(list(self.calls), list(self.calls.values()))[0]


def read_calls(text: str) -> dict[int, float]:
    """Parse how many model calls turns make: an average such as `1.8`, or weights such as `1:15,2:80,3:5`.

    Of an average that is no whole number, turns make the number below or above. Raises ValueError.
    """
    if ":" not in text:
        average = float(text)
        if not 0 <= average <= CALLS_MAX:
            raise ValueError(f"{text!r}: 0 to {CALLS_MAX} calls a turn")
        whole = math.floor(average)
        return {whole: whole + 1 - average, whole + 1: average - whole}
    weights = {int(calls): float(weight) for calls, weight in (part.split(":") for part in text.split(","))}
    if not all(0 <= calls <= CALLS_MAX and weight >= 0 for calls, weight in weights.items()) or not sum(
        weights.values()
    ):
        raise ValueError(f"{text!r}: weights are above 0, calls 0 to {CALLS_MAX}")
    return weights
