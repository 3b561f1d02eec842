"""Be an OpenTelemetry collector: take OTLP over HTTP on the loopback, and keep what came."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


class Collector:
    """Hold the spans that came; `answers` set to 503 refuses them, `holds` keeps every request waiting."""

    def __init__(self) -> None:
        self.answers = 200
        self.holds = threading.Event()
        self.holds.set()
        self.requests: list[ExportTraceServiceRequest] = []
        self.paths: list[str] = []
        self.url = ""

    def spans(self) -> list[Any]:
        """Give the spans, as protobuf has them."""
        return [
            span
            for request in self.requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def payloads(self) -> str:
        """Give everything that came as text."""
        return "\n".join(str(request) for request in self.requests)


def attributes_of(span: Any) -> dict[str, Any]:
    """Read a span's attributes."""
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in span.attributes}


@contextmanager
def running_collector() -> Iterator[Collector]:
    """Listen on a free port until the end of the block."""
    collector = Collector()

    class Endpoint(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            collector.holds.wait(20)
            if collector.answers == 200:
                collector.paths.append(self.path)
                collector.requests.append(ExportTraceServiceRequest.FromString(body))
            self.send_response(collector.answers)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    server.daemon_threads = True
    collector.url = f"http://127.0.0.1:{server.server_port}"
    serving = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    serving.start()
    try:
        yield collector
    finally:
        collector.holds.set()
        server.shutdown()
        server.server_close()
        serving.join()
