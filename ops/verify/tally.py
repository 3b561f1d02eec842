"""Judge a run by its replies: what was lost, doubled, out of order, and how long the rest took."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from schema.messages.reply import Reply

PERCENTILES = (50, 95, 99)


class Distribution(TypedDict):
    """Percentiles of milliseconds."""

    p50: float
    p95: float
    p99: float
    max: float


class LoadReport(TypedDict):
    """The outcome of a run; the five counts after `replies` are zero in a product that keeps its promises."""

    messages: int
    """Accepted."""
    replies: int
    """Distinct replies."""
    lost: int
    """Accepted, and PostgreSQL knows nothing of them."""
    unanswered: int
    """Accepted, in PostgreSQL, and not answered within the bounded wait."""
    unread: int
    """Answered, as PostgreSQL says, and the reply was not read within the bounded wait."""
    duplicated: int
    """Messages answered by more than one reply."""
    out_of_order: int
    """Replies whose sequence does not follow, or that answer a message sent before one answered already."""
    escalations: int
    accepted_per_s: float
    """Accepted messages by the time from the first due to the last receipt."""
    acceptance_ms: Distribution
    """From sending a message to its receipt, with the tries that were refused for the moment."""
    messages_per_s: float
    """Answered messages by the time from the first sent to the last reply."""
    latency_ms: Distribution
    """From when a message was due to be sent to when its reply was read."""
    overhead_ms: Distribution
    """The latency without the time in which a model worked for the conversation: what the product adds."""
    model_calls_per_turn: float
    """Of the agents, on average over all turns that committed; a replayed answer is no call, nor is a guardrail's."""
    input_tokens_per_turn: float
    """Of all calls, guardrails' included, because all are paid for."""
    output_tokens_per_turn: float
    repeated: int
    """Entries whose reply had been read before, as after a loss of Redis: consumers skip them by their id."""


@dataclass(slots=True)
class ModelWork:
    """Sums of what models did in a run's turns; `intervals` hold (started at, ended at) in epoch seconds."""

    intervals: dict[str, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))
    turns: int = 0
    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    calls_of_turns: Counter[int] = field(default_factory=Counter)
    """How many turns made so many calls."""

    def add_turn(self, conversation: str, model_calls: Iterable[Mapping[str, Any]]) -> None:
        """Add one turn with the model calls of its record."""
        self.turns += 1
        before = self.calls
        for call in model_calls:
            self.intervals[conversation].append((call["started_at"], call["started_at"] + call["milliseconds"] / 1_000))
            if not call["replayed"]:
                self.calls += call.get("purpose", "agents") == "agents"
                self.input_tokens += call["input_tokens"]
                self.output_tokens += call["output_tokens"]
        self.calls_of_turns[self.calls - before] += 1

    def per_turn(self, amount: int) -> float:
        """Return `amount` divided by the number of turns."""
        return round(amount / self.turns, 2) if self.turns else 0.0


@dataclass(slots=True)
class Sent:
    """One message of a run and its answer; times in epoch seconds."""

    conversation: str
    place: int
    """Its index among the messages of its conversation, 0, 1, 2 …"""
    due_at: float
    accepted: bool = False
    accepted_at: float | None = None
    acceptance_seconds: float = 0.0
    answered_at: float | None = None
    phase: int = 0
    """Index of the phase of a load test in which it was due."""
    lag_seconds: float = 0.0
    """How late it was taken up by what sends."""
    refused: int = 0
    """How often it was refused for the moment before it was accepted."""
    reply_ids: set[str] = field(default_factory=set)


class CustomerWait(NamedTuple):
    """How long a customer waited for the answer to one message."""

    sent: Sent
    latency_ms: float
    """From when it was due."""
    overhead_ms: float
    """The same without the time in which a model worked for the conversation."""


class Tally:
    """Counts sent messages and received replies, in the order in which they come."""

    def __init__(self) -> None:
        self.sent: dict[str, Sent] = {}
        self.accepted = 0
        self.escalations = 0
        self._open: set[str] = set()
        self._replies: dict[str, int] = {}
        self._sequences: dict[str, int] = defaultdict(int)
        self._places: dict[str, int] = defaultdict(lambda: -1)
        self._out_of_order = 0

    @property
    def replies(self) -> int:
        """Return the number of distinct replies so far."""
        return len(self._replies)

    @property
    def unanswered(self) -> int:
        """Return the number of messages accepted and not answered so far."""
        return len(self._open)

    def take_receipt(self, message_id: str, *, accepted_at: float | None = None, seconds: float = 0.0) -> None:
        """Record that a message is accepted, and how long that took; its reply may have come already."""
        sent = self.sent[message_id]
        sent.accepted, sent.accepted_at, sent.acceptance_seconds = True, accepted_at, seconds
        self.accepted += 1
        if sent.answered_at is None:
            self._open.add(message_id)

    def take_reply(self, reply: Reply, seen_at: float) -> bool:
        """Record one entry of a reply stream; return whether it belongs to this run."""
        answered = [self.sent[name] for name in reply.in_reply_to if name in self.sent]
        if not answered:
            return False
        times_before = self._replies.get(reply.reply_id, 0)
        self._replies[reply.reply_id] = times_before + 1
        if times_before:
            return True
        places = [sent.place for sent in answered]
        if reply.sequence != self._sequences[reply.conversation] + 1 or min(places) <= self._places[reply.conversation]:
            self._out_of_order += 1
        self._sequences[reply.conversation] = reply.sequence
        self._places[reply.conversation] = max(places)
        for sent in answered:
            sent.reply_ids.add(reply.reply_id)
            sent.answered_at = sent.answered_at or seen_at
        self._open.difference_update(reply.in_reply_to)
        return True

    def waits(self, work: ModelWork) -> Iterator[CustomerWait]:
        """Yield, for each message that is accepted and answered, how long its customer waited."""
        for sent in self.sent.values():
            if sent.accepted and sent.answered_at is not None:
                latency = sent.answered_at - sent.due_at
                busy = covered_seconds(work.intervals.get(sent.conversation, ()), sent.due_at, sent.answered_at)
                yield CustomerWait(sent, latency * 1_000, (latency - busy) * 1_000)

    def report(self, work: ModelWork, states: Mapping[str, str] | None = None) -> LoadReport:
        """Return the report of the run.

        `states` has those of messages in PostgreSQL, needed for those alone whose reply was not read: without it they
        count as lost.
        """
        missing = [(states or {}).get(message_id) for message_id in self._open]
        accepted = [sent for sent in self.sent.values() if sent.accepted]
        waits = list(self.waits(work))
        return LoadReport(
            messages=len(accepted),
            replies=len(self._replies),
            lost=missing.count(None),
            unanswered=sum(1 for state in missing if state not in {None, "answered"}),
            unread=missing.count("answered"),
            duplicated=sum(1 for sent in accepted if len(sent.reply_ids) > 1),
            out_of_order=self._out_of_order,
            escalations=self.escalations,
            accepted_per_s=round(_rate(accepted, [sent.accepted_at for sent in accepted]), 1),
            acceptance_ms=distribution([sent.acceptance_seconds * 1_000 for sent in accepted]),
            messages_per_s=round(_rate(accepted, [sent.answered_at for sent in accepted]), 1),
            latency_ms=distribution([wait.latency_ms for wait in waits]),
            overhead_ms=distribution([wait.overhead_ms for wait in waits]),
            model_calls_per_turn=work.per_turn(work.calls),
            input_tokens_per_turn=work.per_turn(work.input_tokens),
            output_tokens_per_turn=work.per_turn(work.output_tokens),
            repeated=sum(times - 1 for times in self._replies.values()),
        )


def is_kept(report: LoadReport) -> bool:
    """Check whether everything accepted was answered and read, once and in order."""
    counts = ("lost", "unanswered", "unread", "duplicated", "out_of_order")
    return not any(report[name] for name in counts)  # type: ignore[literal-required] # names of it


def covered_seconds(intervals: Iterable[tuple[float, float]], start: float, end: float) -> float:
    """Return how many seconds from `start` to `end` lie within any of `intervals`; overlaps count once."""
    covered, reached = 0.0, start
    for begin, finish in sorted(intervals):
        begin, finish = max(begin, reached), min(finish, end)  # noqa: PLW2901 - cut to what is not counted yet
        if finish > begin:
            covered += finish - begin
            reached = finish
    return covered


def distribution(values: Sequence[float]) -> Distribution:
    """Return percentiles by the nearest-rank method; zeros without values."""
    ranked = sorted(values) or [0.0]
    p50, p95, p99 = (round(nearest_rank(ranked, percent), 1) for percent in PERCENTILES)
    return Distribution(p50=p50, p95=p95, p99=p99, max=round(ranked[-1], 1))


def nearest_rank(ranked: Sequence[float], percent: float) -> float:
    """Return the smallest value that at least `percent` of the (ascending, at least one) values do not exceed."""
    return ranked[max(0, math.ceil(percent / 100 * len(ranked)) - 1)]


def _rate(accepted: Sequence[Sent], moments: Sequence[float | None]) -> float:
    """Return how many of these moments there were a second, from when the first message was due."""
    known = [moment for moment in moments if moment is not None]
    if not known:
        return 0.0
    return len(known) / max(max(known) - min(sent.due_at for sent in accepted), 0.001)
