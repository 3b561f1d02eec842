"""Trace what a turn does as spans, without making any turn wait for whoever collects them.

A span holds names, ids, numbers and codes; never what somebody said. Finished spans go into a bounded queue in memory;
one task per process redacts them and hands them to the sinks. Spans that find the queue full are dropped and counted.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal, Protocol

import psycopg
import structlog

from runtime.loops import Loop
from runtime.outage import POSTGRESQL_AWAY
from runtime.telemetry.logs import redact
from schema.ids import ConversationKey, new_token

_log = structlog.get_logger("fte.tracing")

SpanKind = Literal[
    "turn", "queue", "hydrate", "guard", "act", "commit", "publish",
    "agent", "model", "tool", "handoff", "guardrail", "mcp", "event", "dropped",
]  # fmt: skip
Value = str | int | float | bool

TEXT_CHARACTERS_MAX = 120
"""Length of a name, a code or a text among a span's attributes."""

_BATCH_MAX = 1_000
_WAIT_ON: tuple[type[Exception], ...] = (*POSTGRESQL_AWAY, OSError, TimeoutError)
_HAND_ON_SECONDS = 0.5
_WRITE_SECONDS_MAX = 5.0
_CLOSE_SECONDS_MAX = 2.0
_REPORT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt at one message; `turn_id` is the root span, `record` takes the attempt's finished spans."""

    key: ConversationKey
    position: int
    number: int
    turn_id: str
    record: Callable[[Span], None] = field(compare=False, repr=False)


@dataclass(slots=True)
class Span:
    """One measured step; `started_at` in epoch seconds, `error` a code. Without an attempt it is kept nowhere."""

    attempt: Attempt | None
    kind: SpanKind
    name: str
    span_id: str
    parent_id: str | None
    started_at: float
    milliseconds: float = 0.0
    error: str | None = None
    attributes: dict[str, Value] = field(default_factory=dict)


_under_way: ContextVar[Span | None] = ContextVar("span_under_way", default=None)


@contextmanager
def measure(kind: SpanKind, name: str = "", *, parent_id: str | None = None) -> Iterator[Span]:
    """Measure the block as a child of the current span; recorded if that belongs to an attempt at a message.

    An error that the block raises is noted by its type alone, because its text may hold anything.
    """
    above = _under_way.get()
    inherited = above.span_id if above else None
    span = Span(above.attempt if above else None, kind, name, new_span_id(), parent_id or inherited, time.time())
    with _measuring(span):
        yield span


def note(
    kind: SpanKind,
    name: str,
    *,
    started_at: float,
    milliseconds: float = 0.0,
    span_id: str | None = None,
    parent_id: str | None = None,
    error: str | None = None,
    **attributes: Value,
) -> None:
    """Record a step measured elsewhere, as a child of the current span."""
    above = _under_way.get()
    if above is None or above.attempt is None:
        return
    span = Span(
        above.attempt,
        kind,
        name,
        span_id or new_span_id(),
        parent_id or above.span_id,
        started_at,
        milliseconds,
        error,
        attributes,
    )
    above.attempt.record(span)


@contextmanager
def _measuring(span: Span) -> Iterator[Span]:
    token = _under_way.set(span)
    began = time.perf_counter()
    try:
        yield span
    except BaseException as error:
        span.error = type(error).__name__
        raise
    finally:
        span.milliseconds = round((time.perf_counter() - began) * 1_000, 2)
        _under_way.reset(token)
        if span.attempt is not None:
            span.attempt.record(span)


def new_span_id() -> str:
    """Return a new span id: 16 hex digits, the form of OpenTelemetry."""
    return new_token()[:16]


class SpanTable(Protocol):
    """A store of spans that can be read again."""

    async def write(self, spans: Sequence[Span]) -> None:
        """Write spans; one that is there already stays. Raises what its database raises."""


class SpanExporter(Protocol):
    """An exporter that passes spans on without ever waiting."""

    def offer(self, spans: Sequence[Span]) -> None:
        """Take spans; those it has no room for are counted as dropped."""

    def close(self, seconds_max: float) -> None:
        """Send what is left; give up after `seconds_max`."""


class Losses:
    """Counts spans that reached no sink, and logs the count now and then; any thread may add."""

    def __init__(self) -> None:
        self.total: Counter[str] = Counter()
        self._unsaid: Counter[str] = Counter()
        self._said_at = float("-inf")
        self._lock = threading.Lock()

    def add(self, where: str, spans: int) -> None:
        """Count spans dropped at `where`: in the queue, or on the way to postgresql or otlp."""
        with self._lock:
            self.total[where] += spans
            self._unsaid[where] += spans

    def report(self, *, now: float, last: bool = False) -> None:
        """Log what was dropped since the last line; `now` in monotonic seconds, at most one line in 10 s."""
        if not self._unsaid or (now - self._said_at < _REPORT_SECONDS and not last):
            return
        with self._lock:
            unsaid, self._unsaid = self._unsaid, Counter()
        self._said_at = now
        for where, spans in unsaid.items():
            _log.warning("spans.dropped", where=where, spans=spans, spans_since_start=self.total[where])


class Tracer:
    """Opens a trace for each attempt, and hands its spans to the sinks; made and used on one event loop.

    Without a table no span is recorded.
    """

    def __init__(
        self, table: SpanTable | None, exporter: SpanExporter | None, losses: Losses, *, waiting_max: int
    ) -> None:
        self._table = table
        self._exporter = exporter
        self.losses = losses
        self._waiting_max = waiting_max
        self._finished: list[Span] = []
        self._unwritten: deque[Span] = deque()
        self._lost: Counter[Attempt] = Counter()

    @contextmanager
    def attempt(self, key: ConversationKey, position: int, number: int) -> Iterator[Span]:
        """Measure one attempt at a message; every span inside the block belongs to it."""
        turn_id = new_span_id()
        attempt = Attempt(key, position, number, turn_id, self.record) if self._table else None
        with _measuring(Span(attempt, "turn", "", turn_id, None, time.time())) as span:
            yield span

    def record(self, span: Span) -> None:
        """Queue a finished span, or drop it when too many wait; never waits, whatever the sinks do."""
        if len(self._finished) < self._waiting_max:
            self._finished.append(span)
        else:
            self._drop("queue", [span])

    def loop(self) -> Loop:
        """Return the loop that hands on finished spans."""
        return Loop("hand_on_spans", self._hand_on, _HAND_ON_SECONDS)

    async def _hand_on(self) -> None:
        await self.flush()
        self.losses.report(now=time.monotonic())

    async def flush(self) -> None:
        """Hand finished spans to the exporter, and write the unwritten ones as far as PostgreSQL takes them now."""
        finished, self._finished = self._finished, []
        for span in finished:
            _redact_span(span)
        if self._exporter is not None and finished:
            self._exporter.offer(finished)
        self._unwritten.extend(finished)
        over = len(self._unwritten) - self._waiting_max
        self._drop("postgresql", [self._unwritten.popleft() for _ in range(over)])
        while self._unwritten and await self._write_batch():
            pass

    async def close(self) -> None:
        """Write and export what is left, for four seconds at most; what PostgreSQL does not take by then is dropped."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_SECONDS_MAX):
                await self.flush()
        self._drop("postgresql", list(self._unwritten))
        if self._exporter is not None:
            await asyncio.to_thread(self._exporter.close, _CLOSE_SECONDS_MAX)
        self.losses.report(now=time.monotonic(), last=True)

    async def _write_batch(self) -> bool:
        """Write the oldest spans; when PostgreSQL is away or slow, keep them and return False: rewriting is safe."""
        if self._table is None:
            return False
        batch = [self._unwritten.popleft() for _ in range(min(len(self._unwritten), _BATCH_MAX))]
        lost, self._lost = self._lost, Counter()
        written = False
        try:
            async with asyncio.timeout(_WRITE_SECONDS_MAX):
                await self._table.write([*batch, *(_notice(attempt, spans) for attempt, spans in lost.items())])
            written = True
        except _WAIT_ON:
            return False
        except psycopg.Error as error:
            # Not an outage: a retry would fail the same way, and everything behind it would wait for ever.
            _log.warning("spans.refused", error=str(error), error_type=type(error).__name__)
            self._drop("postgresql", batch)
            written = True
        finally:
            if not written:
                self._unwritten.extendleft(reversed(batch))
                self._lost.update(lost)
        return True

    def _drop(self, where: str, spans: Sequence[Span]) -> None:
        if not spans:
            return
        self.losses.add(where, len(spans))
        for span in spans:
            # Noted for each attempt, so that its trace can show what is missing; bounded like the queue itself.
            if span.attempt is not None and (span.attempt in self._lost or len(self._lost) < self._waiting_max):
                self._lost[span.attempt] += 1


def _notice(attempt: Attempt, spans: int) -> Span:
    return Span(attempt, "dropped", "", new_span_id(), attempt.turn_id, time.time(), attributes={"spans": spans})


def _redact_span(span: Span) -> None:
    """Redact every text of a span: none should hold a secret, and this is the last step before the sinks."""
    span.name = _redact_text(span.name)
    span.error = _redact_text(span.error) if span.error else None
    for name, value in span.attributes.items():
        if isinstance(value, str):
            span.attributes[name] = _redact_text(value)


@lru_cache(maxsize=4_096)
def _redact_text(text: str) -> str:
    """Redact and shorten a text; cached, because spans repeat a few names all day."""
    return redact(text)[:TEXT_CHARACTERS_MAX]
