"""Export spans by OpenTelemetry's protocol: OTLP over HTTP, in batches, from a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, TraceFlags
from opentelemetry.trace.status import Status, StatusCode

from runtime.telemetry.logs import redact
from runtime.telemetry.tracing import Losses, Span, Value
from schema.ids import trace_id_of

_TRACES_PATH = "/v1/traces"
_SEND_MS = 1_000
_SCOPE = InstrumentationScope("fte")
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)

# Names of spans and attributes in OpenTelemetry's semantic conventions for generative AI, where those have one:
# the operation, the attribute that takes the span's own name, and other attributes by ours.
_OPERATIONS: Mapping[str, tuple[str, str]] = {
    "agent": ("invoke_agent", "gen_ai.agent.name"),
    "tool": ("execute_tool", "gen_ai.tool.name"),
    "model": ("chat", "gen_ai.request.model"),
}
_ATTRIBUTES: Mapping[str, str] = {
    "input_tokens": "gen_ai.usage.input_tokens",
    "output_tokens": "gen_ai.usage.output_tokens",
}


class OtlpSpans:
    """Hands spans to OpenTelemetry's batch processor; at most `waiting_max` of them are on their way."""

    def __init__(self, endpoint: str, losses: Losses, *, waiting_max: int) -> None:
        """Take `endpoint`, the collector's address, as OTEL_EXPORTER_OTLP_ENDPOINT has it: the path is added.

        The other OTEL_EXPORTER_OTLP_… variables (headers, certificate, compression, time limit) are the exporter's own.
        """
        self._losses = losses
        self._waiting_max = waiting_max
        self._on_their_way = 0
        self._lock = threading.Lock()
        exporter = OTLPSpanExporter(endpoint=endpoint.rstrip("/") + _TRACES_PATH)
        self._processor = BatchSpanProcessor(
            _Counted(exporter, self._arrived), max_queue_size=waiting_max, schedule_delay_millis=_SEND_MS
        )
        self._resource = Resource({"service.name": "fte-worker"}).merge(OTELResourceDetector().detect())

    def offer(self, spans: Sequence[Span]) -> None:
        """Take spans as far as there is room; count the rest as dropped."""
        with self._lock:
            room = max(0, self._waiting_max - self._on_their_way)
            taken = [span for span in spans[:room] if span.attempt is not None]
            self._on_their_way += len(taken)
        for span in taken:
            self._processor.on_end(readable_of(span, self._resource))
        if len(spans) > len(taken):
            self._losses.add("otlp", len(spans) - len(taken))

    def close(self, seconds_max: float) -> None:
        """Send what is left; count as dropped what has not arrived after `seconds_max`.

        Runs in a thread that may be left behind: the processor would wait half a minute for a collector that hangs.
        """
        closing = threading.Thread(target=self._processor.shutdown, name="otlp close", daemon=True)
        closing.start()
        closing.join(seconds_max)
        with self._lock:
            missing, self._on_their_way = self._on_their_way, 0
        if missing:
            self._losses.add("otlp", missing)

    def _arrived(self, spans: int, *, well: bool) -> None:
        with self._lock:
            known = min(spans, self._on_their_way)  # none after `close` has counted them
            self._on_their_way -= known
        if known and not well:
            self._losses.add("otlp", known)


class _Counted(SpanExporter):
    """A span exporter that reports how many spans arrived."""

    def __init__(self, exporter: SpanExporter, arrived: Callable[..., None]) -> None:
        self._exporter = exporter
        self._arrived = arrived

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send a batch; the wrapped exporter retries what may pass, and gives up after its time limit."""
        result = SpanExportResult.FAILURE
        try:
            result = self._exporter.export(spans)
        finally:
            self._arrived(len(spans), well=result is SpanExportResult.SUCCESS)
        return result

    def shutdown(self) -> None:
        """Close the exporter's connection."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Delegate to the exporter, which holds nothing back."""
        return self._exporter.force_flush(timeout_millis)


def readable_of(span: Span, resource: Resource) -> ReadableSpan:
    """Convert a span to OpenTelemetry's form; raises ValueError for one outside an attempt."""
    attempt = span.attempt
    if attempt is None:
        raise ValueError("a span outside an attempt belongs to no trace")
    trace_id = int(trace_id_of(attempt.key).removeprefix("trace_"), 16)
    operation, named = _OPERATIONS.get(span.kind, (span.kind, "fte.name"))
    name = str(span.attributes.get("model", "")) if span.kind == "model" else span.name
    attributes: dict[str, Value] = {
        "gen_ai.conversation.id": redact(attempt.key.conversation),  # gateways name conversations by address
        "fte.tenant": attempt.key.tenant,
        "fte.position": attempt.position,
        "fte.attempt": attempt.number,
        "fte.kind": span.kind,
        **{_ATTRIBUTES.get(key, f"fte.{key}"): value for key, value in span.attributes.items() if key != "model"},
    }
    if span.kind in _OPERATIONS:
        attributes["gen_ai.operation.name"] = operation
    if name:
        attributes[named] = name
    if span.error:
        attributes["error.type"] = span.error
    started = int(span.started_at * 1e9)
    return ReadableSpan(
        name=f"{operation} {name}".rstrip(),
        context=_context(trace_id, span.span_id),
        parent=_context(trace_id, span.parent_id) if span.parent_id else None,
        resource=resource,
        attributes=attributes,
        kind=SpanKind.CLIENT if span.kind == "model" else SpanKind.INTERNAL,
        status=Status(StatusCode.ERROR) if span.error else Status(),
        start_time=started,
        end_time=started + int(span.milliseconds * 1e6),
        instrumentation_scope=_SCOPE,
    )


def _context(trace_id: int, span_id: str) -> SpanContext:
    return SpanContext(trace_id, int(span_id, 16), is_remote=False, trace_flags=_SAMPLED)
