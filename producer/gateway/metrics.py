"""Count what the gateway serves, for Prometheus."""

from __future__ import annotations

from typing import Final

from runtime.telemetry.metrics import Metrics, MetricSpec

GATEWAY: Final = Metrics()
"""Of this program's metrics alone: no global registry, which any library may add to."""

OF_REQUESTS: Final = MetricSpec(
    "fte_gateway_requests_total", "counter", "Requests answered", ("method", "route", "status")
)
OF_REQUEST_SECONDS: Final = MetricSpec(
    "fte_gateway_request_seconds",
    "histogram",
    "From the head of a request to the head of its answer",
    ("route",),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
OF_STREAMS: Final = MetricSpec("fte_gateway_streams_open", "gauge", "Streams and long polls under way")
OF_A_GATEWAY: Final = (OF_REQUESTS, OF_REQUEST_SECONDS, OF_STREAMS)

REQUESTS: Final = GATEWAY.counter(OF_REQUESTS)
SECONDS: Final = GATEWAY.histogram(OF_REQUEST_SECONDS)
STREAMS: Final = GATEWAY.gauge(OF_STREAMS)
