"""Build a conversation's trace: the attempts at each message, their steps, and the totals."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from runtime.database import Database
from schema.errors import FteError
from schema.ids import ConversationKey, trace_id_of

TURNS_MAX = 200
"""Newest messages shown."""

SPANS_MAX = 20_000
"""Newest spans read."""

_RECORDED_STEPS = ("queue", "hydrate", "guard", "act")

AttemptState = Literal["done", "committed", "failed", "unfinished", "cut off", "recorded"]


class UnknownTurn(FteError):
    """A turn number that a conversation does not have."""

    def __init__(self, number: int, known: list[int]) -> None:
        there = f"{known[0]} to {known[-1]}" if known else "none yet"
        super().__init__(f"no turn {number}; there are {there}")


@dataclass(frozen=True)
class Step:
    """One span with its child spans in order of time."""

    kind: str
    name: str
    started_at: datetime
    milliseconds: float
    error: str | None = None
    attributes: dict[str, Any] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)

    @property
    def ended_at(self) -> datetime:
        """Return when the step ended."""
        return self.started_at + timedelta(milliseconds=self.milliseconds)


@dataclass(frozen=True)
class TracedAttempt:
    """One attempt at a message.

    done: it committed, or found nothing to do. committed: it did, but its last spans are missing: not written yet, or
    its worker died. failed: it raised `error`. unfinished: under way, or its worker died just now. cut off: it never
    ended, and another attempt followed. recorded: its spans are gone, and this is built from the turn's record.
    """

    number: int
    state: AttemptState
    started_at: datetime
    milliseconds: float
    error: str | None
    attributes: dict[str, Any]
    steps: list[Step]


@dataclass(frozen=True)
class TracedTurn:
    """A message and the attempts at it; `number`, `outcome` and `agent` of the turn that answered it, if any.

    `answered_with` is the position of an earlier message whose turn answered this one too, and has the attempts.
    """

    position: int
    number: int | None
    state: str
    channel: str
    outcome: str | None
    agent: str | None
    accepted_at: datetime
    committed_at: datetime | None
    attempts: list[TracedAttempt]
    answered_with: int | None = None


@dataclass
class Totals:
    """Totals of what is shown; tokens of calls that were made, not of those that were replayed."""

    turns: int = 0
    attempts: int = 0
    model_calls: int = 0
    replayed_calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    tool_calls: int = 0
    handoffs: int = 0
    spans_dropped: int = 0
    milliseconds: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class ConversationTrace:
    """A conversation's trace: its turns, and the events outside of them."""

    tenant: str
    conversation: str
    trace_id: str
    owner: str
    turns: list[TracedTurn]
    events: list[Step]
    totals: Totals


async def read_trace(database: Database, key: ConversationKey, *, turn: int | None = None) -> ConversationTrace | None:
    """Read a conversation's trace, or that of one turn; None when its tenant has no such conversation.

    Raises UnknownTurn.
    """
    rows = await database.read(
        key.tenant,
        "read_trace",
        tenant=key.tenant,
        conversation=key.conversation,
        turns_max=TURNS_MAX,
        spans_max=SPANS_MAX,
    )
    return trace_of(key, rows[0], turn=turn) if rows else None


def trace_of(key: ConversationKey, row: dict[str, Any], *, turn: int | None = None) -> ConversationTrace:
    """Build a trace from a row of `read_trace.sql` (`messages` and `spans`). Raises UnknownTurn."""
    spans_of: dict[int | None, list[dict[str, Any]]] = defaultdict(list)
    for span in row["spans"]:
        spans_of[span["position"]].append(span)
    messages = row["messages"]
    if turn is not None:
        messages = [message for message in messages if message["number"] == turn]
        if not messages:
            raise UnknownTurn(turn, [message["number"] for message in row["messages"] if message["number"]])
    turns = [_turn_of(message, spans_of.get(message["position"], [])) for message in messages]
    events = [_step_of(span, {}) for span in spans_of.get(None, [])] if turn is None else []
    return ConversationTrace(
        key.tenant, key.conversation, trace_id_of(key), row["owner"], turns, events, _totals_of(turns)
    )


def _turn_of(message: dict[str, Any], spans: list[dict[str, Any]]) -> TracedTurn:
    by_attempt: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for span in sorted(spans, key=lambda span: str(span["started_at"])):
        if span["turn_id"]:
            by_attempt[span["turn_id"]].append(span)
    attempts = sorted((_attempt_of(*own) for own in by_attempt.items()), key=_order)
    attempts = [_settle(attempt, message, last=attempt is attempts[-1]) for attempt in attempts]
    first = message["first_position"]
    leads = first is None or first == message["position"]
    if leads and message["timings"] and not any(_committed(attempt) for attempt in attempts):
        attempts.append(_recorded_attempt(message))
    return TracedTurn(
        position=message["position"],
        number=message["number"],
        state=message["state"],
        channel=message["channel"],
        outcome=message["outcome"],
        agent=message["agent"],
        accepted_at=datetime.fromisoformat(message["accepted_at"]),
        committed_at=datetime.fromisoformat(message["committed_at"]) if message["committed_at"] else None,
        attempts=attempts,
        answered_with=None if leads else first,
    )


def _attempt_of(turn_id: str, spans: list[dict[str, Any]]) -> TracedAttempt:
    """Build an attempt from its spans; spans whose parent a crash has lost become children of the root."""
    present = {span["span_id"] for span in spans} - {turn_id}
    parts: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for span in spans:
        if span["span_id"] != turn_id:
            parts[span["parent_id"] if span["parent_id"] in present else turn_id].append(span)
    steps = [_step_of(span, parts) for span in parts[turn_id]]
    root = next((_step_of(span, {}) for span in spans if span["span_id"] == turn_id), None)
    number = spans[0]["attempt"]
    if root is None:
        began = min((step.started_at for step in steps if step.kind != "queue"), default=steps[0].started_at)
        took = (max(step.ended_at for step in steps) - began).total_seconds() * 1_000
        return TracedAttempt(number, "unfinished", began, took, None, {}, steps)
    state: AttemptState = "failed" if root.error else "done"
    return TracedAttempt(number, state, root.started_at, root.milliseconds, root.error, root.attributes, steps)


def _committed(attempt: TracedAttempt) -> bool:
    return attempt.state == "committed" or "outcome" in attempt.attributes


def _order(attempt: TracedAttempt) -> tuple[int, datetime]:
    return attempt.number, attempt.started_at


def _settle(attempt: TracedAttempt, message: dict[str, Any], *, last: bool) -> TracedAttempt:
    """Determine the state of an attempt whose own span is missing."""
    if attempt.state != "unfinished":
        return attempt
    if message["attempts"] == attempt.number:
        return replace(attempt, state="committed")
    return attempt if last and message["state"] == "accepted" else replace(attempt, state="cut off")


def _recorded_attempt(message: dict[str, Any]) -> TracedAttempt:
    """Build an attempt from the turn's record: the durations of its steps, one after the other, and its model calls."""
    started = datetime.fromisoformat(message["started_at"])
    steps, at = [], started
    for kind in _RECORDED_STEPS:
        took = message["timings"].get(f"{kind}_ms")
        if took is None:
            continue
        begins = datetime.fromisoformat(message["accepted_at"]) if kind == "queue" else at
        calls = [_recorded_call(call) for call in message["model_calls"]] if kind == "act" else []
        steps.append(Step(kind, "", begins, took, steps=calls))
        at = at if kind == "queue" else at + timedelta(milliseconds=took)
    took = (datetime.fromisoformat(message["committed_at"]) - started).total_seconds() * 1_000
    return TracedAttempt(message["attempts"], "recorded", started, took, None, {"outcome": message["outcome"]}, steps)


def _recorded_call(call: dict[str, Any]) -> Step:
    started = datetime.fromtimestamp(call["started_at"], UTC)
    known = {name: value for name, value in call.items() if name not in {"started_at", "milliseconds"}}
    return Step("model", "", started, call["milliseconds"], attributes=known)


def _step_of(span: dict[str, Any], parts: Mapping[str, list[dict[str, Any]]]) -> Step:
    steps = [_step_of(part, parts) for part in parts.get(span["span_id"], [])]
    attributes = dict(span["attributes"])
    if span["kind"] == "tool":
        # Only a child event says whether a tool's answer was replayed: the call cannot reach its own span.
        attributes.update([("outcome", step.name.removeprefix("tool.")) for step in steps if step.kind == "event"])
        steps = [step for step in steps if step.kind != "event"]
    return Step(
        kind=span["kind"],
        name=span["name"],
        started_at=datetime.fromisoformat(span["started_at"]),
        milliseconds=span["milliseconds"],
        error=span["error"],
        attributes=attributes,
        steps=steps,
    )


def _totals_of(turns: list[TracedTurn]) -> Totals:
    totals = Totals(turns=sum(turn.answered_with is None for turn in turns))
    for turn in turns:
        totals.attempts += len(turn.attempts)
        steps = [step for attempt in turn.attempts for step in attempt.steps]
        waits = [step for step in steps if step.kind == "queue"]
        for step in _each([step for step in steps if step.kind != "queue"] + waits[-1:]):  # it counts from acceptance
            _count(totals, step)
    return totals


def _count(totals: Totals, step: Step) -> None:
    totals.milliseconds[step.kind] = round(totals.milliseconds.get(step.kind, 0.0) + step.milliseconds, 2)
    if step.kind == "model" and step.attributes.get("replayed"):
        totals.replayed_calls += 1
    elif step.kind == "model":
        totals.model_calls += 1
        totals.input_tokens += step.attributes.get("input_tokens", 0)
        totals.output_tokens += step.attributes.get("output_tokens", 0)
    if step.kind == "tool":
        replayed = step.attributes.get("outcome") == "replayed"
        totals.replayed_calls += replayed
        totals.tool_calls += not replayed
    totals.handoffs += step.kind == "handoff"
    totals.spans_dropped += step.attributes.get("spans", 0) if step.kind == "dropped" else 0


def _each(steps: list[Step]) -> Iterator[Step]:
    for step in steps:
        yield step
        yield from _each(step.steps)
