"""Count what a delivering process sends to receivers outside, for Prometheus."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from runtime.telemetry.metrics import SECONDS, Metrics, MetricSpec
from runtime.telemetry.metrics_endpoint import serve_metrics
from runtime.telemetry.process_metrics import watch_connections, watch_loops, watch_servers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runtime.database import Database
    from runtime.loops import Loops
    from schema.settings.metrics import MetricsSettings

DELIVERIES: Final = MetricSpec(
    "fte_deliveries_total", "counter", "Attempts to deliver that ended, by how", ("channel", "outcome")
)
DELIVERY_SECONDS: Final = MetricSpec(
    "fte_delivery_seconds", "histogram", "One attempt to deliver", ("channel",), SECONDS
)
OF_A_DELIVERER: Final = (DELIVERIES, DELIVERY_SECONDS)


class DeliveryMetrics(Metrics):
    """The metrics of one delivering process of one channel: `webhook`, or a channel of replies."""

    def __init__(self, channel: str) -> None:
        super().__init__()
        self._channel = channel
        self._deliveries = self.counter(DELIVERIES)
        self._seconds = self.histogram(DELIVERY_SECONDS)

    def note(self, outcome: str, seconds: float) -> None:
        """Count an attempt that ended; `outcome` is one of a few words, such as `delivered`."""
        self._deliveries.labels(self._channel, outcome).inc()
        self._seconds.labels(self._channel).observe(seconds)

    @contextmanager
    def served(self, settings: MetricsSettings, database: Database, loops: Loops) -> Iterator[None]:
        """Serve the metrics for the length of the block, where the settings say so; raises InvalidSettings."""
        watch_loops(self, loops)
        watch_servers(self, loops.outages)
        watch_connections(self, database)
        if not settings.metrics_listen:
            yield
            return
        endpoint = serve_metrics(self.registry, settings.metrics_listen)
        try:
            yield
        finally:
            endpoint.close()
