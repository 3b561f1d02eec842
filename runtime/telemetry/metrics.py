"""Measure what one process does: metrics declared once, a registry per process, labels of bounded number.

A metric is declared as a `MetricSpec`, so that documentation, dashboards and rules are held to the same list. What
happens is counted as it happens; what merely is (slots, loops, connections) is read when somebody scrapes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Final, Literal

import prometheus_client
import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from schema.resources import load_migrations

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.metrics_core import Metric

SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
"""Buckets of durations."""

WAIT_SECONDS: Final = (*SECONDS, 300, 900, 3_600)
"""Buckets of how long something waited."""

OTHER: Final = "other"
"""The value of a label for all that exceeds its limit."""

Kind = Literal["counter", "gauge", "histogram"]
Labels = tuple[str, ...]
Reading = float | Mapping[Labels, float] | None
"""What is read at a scrape: one value, one for each set of labels, or None: unknown, so the metric is left out."""

_log = structlog.get_logger("fte.metrics")


@dataclass(frozen=True)
class MetricSpec:
    """Declaration of one metric: its full name with its unit, its labels, and what it means in one line."""

    name: str
    kind: Kind
    meaning: str
    labels: Labels = ()
    buckets: tuple[float, ...] = ()


BUILD_INFO: Final = MetricSpec(
    "fte_build_info", "gauge", "1, with the release of the process and the migration it needs", ("release", "migration")
)
COLLECT_FAILED: Final = MetricSpec(
    "fte_collect_failed_total", "counter", "Readings for metrics that failed, whose metric was left out", ("metric",)
)
OF_ANY_PROCESS: Final = (BUILD_INFO, COLLECT_FAILED)

OF_THE_CLIENT: Final = (
    "process_cpu_seconds_total",
    "process_max_fds",
    "process_open_fds",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
    "process_virtual_memory_bytes",
)
"""What prometheus_client adds about the process itself."""


class BoundedLabel:
    """Bounds the values of a label: the first ones keep their name, the rest are `other`."""

    def __init__(self, values_max: int) -> None:
        self._values_max = values_max
        self._seen: set[str] = set()

    def of(self, value: str) -> str:
        """Return the label's value for this one."""
        if value in self._seen:
            return value
        if len(self._seen) >= self._values_max:
            return OTHER
        self._seen.add(value)
        return value


class Metrics:
    """The metrics of one process: what is counted as it happens, and what is read at a scrape."""

    def __init__(self) -> None:
        prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call] # a second series for each counter
        self.registry = CollectorRegistry()
        self._readings = _Readings()
        self.registry.register(self._readings)
        ProcessCollector(registry=self.registry)
        labels = (version("fte"), str(load_migrations()[-1].number))
        self.read(BUILD_INFO, lambda: {labels: 1.0})

    def counter(self, spec: MetricSpec) -> Counter:
        """Make a counter that is counted up as things happen."""
        return Counter(spec.name, spec.meaning, spec.labels, registry=self.registry)

    def gauge(self, spec: MetricSpec) -> Gauge:
        """Make a gauge that is set as things happen."""
        return Gauge(spec.name, spec.meaning, spec.labels, registry=self.registry)

    def histogram(self, spec: MetricSpec) -> Histogram:
        """Make a histogram of durations as they are measured, in seconds."""
        return Histogram(spec.name, spec.meaning, spec.labels, buckets=spec.buckets, registry=self.registry)

    def read(self, spec: MetricSpec, reading: Callable[[], Reading]) -> None:
        """Read a gauge or a counter when somebody scrapes, on a thread beside the event loop; it must not wait."""
        self._readings.add(spec, reading)

    def count_failure(self, name: str) -> None:
        """Count a reading that failed, by the name of what was to be read."""
        self._readings.failed[name] = self._readings.failed.get(name, 0) + 1


class _Readings(Collector):
    """Collects at a scrape what is read then."""

    def __init__(self) -> None:
        self._all: dict[str, tuple[MetricSpec, Callable[[], Reading]]] = {}
        self.failed: dict[str, int] = {}

    def add(self, spec: MetricSpec, reading: Callable[[], Reading]) -> None:
        if spec.name in self._all or spec.kind == "histogram":
            raise ValueError(f"{spec.name} is read already, or is a histogram, which is never read")
        self._all[spec.name] = (spec, reading)

    def describe(self) -> Iterator[Metric]:
        """Give no names: what is read is registered one by one, and `add` refuses a name twice."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Give each metric that can be read now, and how often each could not be."""
        for spec, reading in list(self._all.values()):
            try:
                found = reading()
            except Exception:  # noqa: BLE001 - one reading that fails must not cost all others; it is counted
                self.failed[spec.name] = self.failed.get(spec.name, 0) + 1
                _log.exception("metrics.unreadable", metric=spec.name)
                continue
            if found is not None:
                yield _family(spec, found)
        yield _family(COLLECT_FAILED, {(name,): count for name, count in list(self.failed.items())})


def _family(spec: MetricSpec, found: float | Mapping[Labels, float]) -> Metric:
    make = CounterMetricFamily if spec.kind == "counter" else GaugeMetricFamily
    family = make(spec.name, spec.meaning, labels=spec.labels)
    for labels, value in found.items() if isinstance(found, Mapping) else [((), found)]:
        family.add_metric(list(labels), value)
    return family


def wall_clock(monotonic: float) -> float:
    """Return the seconds since the epoch of a moment in monotonic seconds of this process."""
    return time.time() - (time.monotonic() - monotonic)
