"""Count what the gateway serves, for Prometheus, on a port of their own."""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

REGISTRY: Final = CollectorRegistry()
"""Of this program's metrics alone: no global one, which any library may add to."""

REQUESTS: Final = Counter(
    "fte_gateway_requests_total", "Requests answered", ("method", "route", "status"), registry=REGISTRY
)
SECONDS: Final = Histogram(
    "fte_gateway_request_seconds",
    "From the head of a request to the head of its answer",
    ("route",),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
    registry=REGISTRY,
)
STREAMS: Final = Gauge("fte_gateway_streams_open", "Streams and long polls under way", registry=REGISTRY)


def serve_metrics(host: str, port: int) -> None:
    """Serve the metrics from a thread of its own."""
    start_http_server(port, addr=host, registry=REGISTRY)
