"""Record the SDK's spans of a run in our traces, and keep the SDK's own exporter from running unasked."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from agents import Span, Trace, TracingProcessor, set_trace_processors, set_tracing_export_api_key
from agents.tracing import (
    AgentSpanData,
    FunctionSpanData,
    GuardrailSpanData,
    HandoffSpanData,
    MCPListToolsSpanData,
    TracingConfig,
    get_current_span,
)
from agents.tracing.processors import default_processor

from runtime.telemetry.tracing import SpanKind, Value, note

if TYPE_CHECKING:
    from schema.settings.telemetry import TraceSettings

# What the SDK says went wrong, as codes: the rest of what it says may quote a tool's error or a model's words.
_ERRORS: Final = {
    "Error running tool": "tool_failed",
    "Error running tool (non-fatal)": "tool_failed",
    "Tool execution cancelled": "tool_cancelled",
    "Tool execution rejected": "tool_rejected",
    "Tool not found": "tool_not_found",
    "Invalid JSON provided": "invalid_json",
    "Max turns exceeded": "max_turns_exceeded",
    "Multiple handoffs requested": "multiple_handoffs",
    "Guardrail tripwire triggered": "guardrail_tripped",
}
_OTHER_ERROR: Final = "failed"

RUN_TRACING: Final[TracingConfig] = {"include_task_and_turn_spans": False}
"""Tracing of every run: without the SDK's task and turn spans, which say nothing that their parts do not."""


def configure_tracing(settings: TraceSettings) -> None:
    """Replace the SDK's exporter, which would post to OpenAI, by ours; `FTE_OPENAI_TRACES` adds it again."""
    processors: list[TracingProcessor] = [RunSpans()] if settings.trace else []
    if settings.openai_traces and settings.openai_api_key is not None:
        set_tracing_export_api_key(settings.openai_api_key.get_secret_value())
        processors.append(default_processor())
    set_trace_processors(processors)


class RunSpans(TracingProcessor):
    """Tracing processor that notes the finished spans of agent runs in the trace of their attempt.

    Stateless: the attempt is found in the context of the task in which the SDK calls it.
    """

    def on_span_end(self, span: Span[Any]) -> None:
        """Note an agent, a tool, a handoff, a guardrail or an MCP listing; model calls are measured as journaled."""
        described = _describe(span.span_data)
        if described is None or span.started_at is None or span.ended_at is None:
            return
        kind, name, attributes = described
        started = datetime.fromisoformat(span.started_at)
        note(
            kind,
            name,
            started_at=started.timestamp(),
            milliseconds=round((datetime.fromisoformat(span.ended_at) - started).total_seconds() * 1_000, 2),
            span_id=_short(span.span_id),
            parent_id=_short(span.parent_id) if span.parent_id else None,
            error=_ERRORS.get(span.error["message"], _OTHER_ERROR) if span.error else None,
            **attributes,
        )

    def on_trace_start(self, trace: Trace) -> None:
        """Do nothing: the trace is the conversation's."""

    def on_trace_end(self, trace: Trace) -> None:
        """Do nothing."""

    def on_span_start(self, span: Span[Any]) -> None:
        """Do nothing: a span is noted when it ends."""

    def shutdown(self) -> None:
        """Do nothing: the tracer belongs to the worker."""

    def force_flush(self) -> None:
        """Do nothing, as in shutdown."""


def span_id_of_run() -> str | None:
    """Return the id, in our form, of the SDK's span under way, the parent of a model call; None without tracing."""
    span = get_current_span()
    return _short(span.span_id) if span is not None else None


def _describe(data: Any) -> tuple[SpanKind, str, dict[str, Value]] | None:
    """Return a span's kind, name and attributes: only names that stand in our code or in an MCP server's settings."""
    match data:
        case AgentSpanData():
            return "agent", data.name, {}
        case FunctionSpanData():
            return "tool", data.name, {}
        case HandoffSpanData():
            return "handoff", data.to_agent or "", {"from": data.from_agent or ""}
        case GuardrailSpanData():
            return "guardrail", data.name, {"tripped": data.triggered}
        case MCPListToolsSpanData():
            return "mcp", data.server or "", {"tools": len(data.result or [])}
    return None


def _short(span_id: str) -> str:
    """Shorten the SDK's `span_` and 24 hex digits to OpenTelemetry's 16, of which 60 bits are random."""
    return span_id.removeprefix("span_")[:16]
