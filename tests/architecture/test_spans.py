"""A span holds names, codes, numbers and times, and no words of a customer: every place that writes one is listed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

import pytest

from tests.architecture import sources

WRITERS: Final = frozenset({"measure", "note", "event_rows", "Span", "attempt"})
"""What writes a span, by the name under which it is called."""

ROOMS: Final = frozenset({"runtime.telemetry.tracing", "runtime.telemetry.tracing_table"})
"""Who imports one of these may write spans."""


WRITES: Final = {
    "runtime/telemetry/tracing.py": {
        "Span(above.attempt if above else None, kind, name, new_span_id(), parent_id or inherited, time.time())": (
            "what callers of `measure` give: listed below"
        ),
        "Span(above.attempt, kind, name, span_id or new_span_id(), parent_id or above.span_id, started_at, "
        "milliseconds, error, attributes)": "what callers of `note` give: listed below",
        "Span(attempt, 'turn', '', turn_id, None, time.time())": "an id, a time",
        "Span(attempt, 'dropped', '', new_span_id(), attempt.turn_id, time.time(), attributes={'spans': spans})": (
            "an id, a time, a number"
        ),
        "span.milliseconds = round((time.perf_counter() - began) * 1000, 2)": "a time",
        "span.error = type(error).__name__": "a code: the type of an error, never its text",
        "span.name = _redact_text(span.name)": "what was there, redacted",
        "span.error = _redact_text(span.error) if span.error else None": "what was there, redacted",
        "span.attributes[name] = _redact_text(value)": "what was there, redacted",
    },
    "worker/conversation/run_spans.py": {
        "note(kind, name, started_at=started.timestamp(), milliseconds=round((datetime.fromisoformat(span.ended_at) - "
        "started).total_seconds() * 1000, 2), span_id=_short(span.span_id), parent_id=_short(span.parent_id) if "
        "span.parent_id else None, error=_ERRORS.get(span.error['message'], _OTHER_ERROR) if span.error else None, "
        "**attributes)": "times, ids, a code of ours for the SDK's error; the rest as returned below",
        "return ('agent', data.name, {})": "the name of an agent of ours",
        "return ('tool', data.name, {})": "the name of a tool of ours, or of a documentation server",
        "return ('handoff', data.to_agent or '', {'from': data.from_agent or ''})": "names of agents of ours",
        "return ('guardrail', data.name, {'tripped': data.triggered})": "the name of a guardrail, yes or no",
        "return ('mcp', data.server or '', {'tools': len(data.result or [])})": "a server's name, a number",
    },
    "worker/guardrails/review.py": {
        "measure('guardrail', 'output')": "a name",
        "span.attributes.update(tripped=breach is not None, reason=reason)": "yes or no; the kind of a breach, a code",
    },
    "worker/journal/model_calls.py": {
        "measure('model', parent_id=span_id_of_run())": "an id",
        "span.attributes.update(step=step, replayed=replayed, model=note.model, degraded=note.degraded, "
        "retries=note.retries)": "numbers, yes or no, the name of a model",
        "span.attributes.update(input_tokens=tokens.input, output_tokens=tokens.output)": "numbers",
    },
    "worker/journal/tool_calls.py": {
        "note('event', f'tool.{outcome}', started_at=time.time(), parent_id=span_id_of_run())": "a code, a time, an id",
    },
    "worker/outbound/announcing.py": {"event_rows(key, name, at=now)": "an event's name, a time"},
    "worker/pipeline/outcome.py": {"measure(name)": "the name of a step"},
    "worker/pipeline/turn.py": {
        "self.tracer.attempt(key, message.position, message.attempts)": "the conversation's id, numbers",
        "measure('publish')": "a name",
        "measure('publish', 'leftovers')": "a name",
        "note('queue', '', started_at=snapshot.accepted_at.timestamp(), milliseconds=waited_ms)": "times",
        "note('event', name, started_at=time.time())": "an event's name, a time",
        "progress.span.attributes['admission'] = admission": "a code",
        "progress.span.attributes['resumed_steps'] = len(snapshot.journal) + len(snapshot.tools)": "a number",
        "span.attributes.update(outcome=answer.outcome, messages=len(message.messages))": "a code, a number",
        "span.attributes['escalation'] = answer.escalation.category": "a code",
    },
}
"""Every write of a span, and what it puts there."""


def test_every_place_that_writes_a_span_is_known_and_puts_no_words_there() -> None:
    found = {source.place: sorted(set(writes_of(source))) for source in sources.product()}

    assert {place: writes for place, writes in found.items() if writes} == {
        place: sorted(writes) for place, writes in WRITES.items()
    }, "list what it puts there: a name, a code, a number or a time, never what somebody said (docs/privacy.md)"


@pytest.mark.parametrize(
    "write",
    [
        "note('event', text, started_at=0.0)",
        "span.attributes['said'] = text",
        "span.attributes.update(said=text)",
        "span.attributes.setdefault('said', text)",
        "progress.span.attributes['said'] = text",
        "span.error = str(error)",
        "span.name = text",
        "measure('act', text)",
        "return ('tool', data.name, {'input': data.input})",
    ],
)
def test_a_new_write_is_found(write: str) -> None:
    text = f"from runtime.telemetry.tracing import measure, note\ndef work():\n    {write}\n"

    assert list(writes_of(sources.parse(sources.ROOT / "worker" / "made_up.py", text))) == [write]


def writes_of(source: sources.Source) -> Iterator[str]:
    """Give every write of a span, or of something in one, as it stands in a file that may write any."""
    if not _may_write(source):
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and (_called(node) in WRITERS or _is_attributes(node.func)):
            yield ast.unparse(node)
        elif isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (ast.unparse(node) for target in targets if _is_of_span(target))
        elif (
            isinstance(node, ast.Return)
            and isinstance(node.value, ast.Tuple)
            and isinstance(node.value.elts[-1], ast.Dict)
        ):
            yield ast.unparse(node)  # what becomes a span's kind, name and attributes


def _may_write(source: sources.Source) -> bool:
    imported = {node.module for node in ast.walk(source.tree) if isinstance(node, ast.ImportFrom)}
    return bool(imported & ROOMS) or source.place == "runtime/telemetry/tracing.py"


def _called(call: ast.Call) -> str | None:
    if isinstance(call.func, ast.Name):
        return call.func.id
    return call.func.attr if isinstance(call.func, ast.Attribute) and call.func.attr == "attempt" else None


def _is_attributes(function: ast.expr) -> bool:
    """Tell whether a call changes a span's attributes: `span.attributes.update(…)`, `….setdefault(…)`."""
    return (
        isinstance(function, ast.Attribute)
        and isinstance(function.value, ast.Attribute)
        and function.value.attr == "attributes"
        and function.attr not in {"items", "get"}
    )


def _is_of_span(target: ast.expr) -> bool:
    if isinstance(target, ast.Subscript):
        return isinstance(target.value, ast.Attribute) and target.value.attr == "attributes"
    return isinstance(target, ast.Attribute) and ast.unparse(target.value) == "span"
