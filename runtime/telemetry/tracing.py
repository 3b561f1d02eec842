"""Measure what a turn does as spans under one trace, and let nobody wait for whoever collects them.

A span holds names, ids, numbers and codes; never what somebody said. Finished spans go into a bounded queue in memory;
one task per process redacts them and hands them to the sinks. What finds no place is dropped and counted.
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
_WRITE_SECONDS_MAX = 5.0
_CLOSE_SECONDS_MAX = 2.0
_REPORT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Attempt:
    """Name one attempt at one message; `turn_id` is the span of the whole, `record` takes its finished spans."""

    key: ConversationKey
    position: int
    number: int
    turn_id: str
    record: Callable[[Span], None] = field(compare=False, repr=False)


@dataclass(slots=True)
class Span:
    """Hold one measured thing; `started_at` in seconds since the epoch, `error` a code. No attempt: kept nowhere."""

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
    """Measure the block, as a part of what is under way; kept if that is an attempt at a message.

    What the block raises becomes the span's error: its type, because its text may hold anything.
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
    """Record what somebody else has measured, as a part of what is under way."""
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
    """Make a span's id: 16 hex digits, the form of OpenTelemetry."""
    return new_token()[:16]


class SpanTable(Protocol):
    """Keep spans where they can be read again."""

    async def write(self, spans: Sequence[Span]) -> None:
        """Write spans; one that is there already stays. Raises what its database raises."""


class SpanExporter(Protocol):
    """Pass spans on without ever waiting."""

    def offer(self, spans: Sequence[Span]) -> None:
        """Take spans; what it cannot take it counts as dropped."""

    def close(self, seconds_max: float) -> None:
        """Send what is left; gives up after `seconds_max`."""


class Losses:
    """Count the spans that reached no sink, and say so in a line now and then; any thread may add."""

    def __init__(self) -> None:
        self.total: Counter[str] = Counter()
        self._unsaid: Counter[str] = Counter()
        self._said_at = float("-inf")
        self._lock = threading.Lock()

    def add(self, where: str, spans: int) -> None:
        """Count spans dropped there: in the queue, or on the way to postgresql or otlp."""
        with self._lock:
            self.total[where] += spans
            self._unsaid[where] += spans

    def report(self, *, now: float, last: bool = False) -> None:
        """Log what was dropped since the line before; `now` in monotonic seconds, one line in 10 s."""
        if not self._unsaid or (now - self._said_at < _REPORT_SECONDS and not last):
            return
        with self._lock:
            unsaid, self._unsaid = self._unsaid, Counter()
        self._said_at = now
        for where, spans in unsaid.items():
            _log.warning("spans.dropped", where=where, spans=spans, spans_since_start=self.total[where])


class Tracer:
    """Open a trace for each attempt, and hand what it measured to the sinks; made and used on one event loop.

    Without a table nothing is recorded.
    """

    def __init__(
        self, table: SpanTable | None, exporter: SpanExporter | None, losses: Losses, *, waiting_max: int
    ) -> None:
        self._table = table
        self._exporter = exporter
        self._losses = losses
        self._waiting_max = waiting_max
        self._finished: list[Span] = []
        self._unwritten: deque[Span] = deque()
        self._lost: Counter[Attempt] = Counter()

    @contextmanager
    def attempt(self, key: ConversationKey, position: int, number: int) -> Iterator[Span]:
        """Measure one attempt at a message; whatever is measured inside belongs to it."""
        turn_id = new_span_id()
        attempt = Attempt(key, position, number, turn_id, self.record) if self._table else None
        with _measuring(Span(attempt, "turn", "", turn_id, None, time.time())) as span:
            yield span

    def record(self, span: Span) -> None:
        """Take a finished span, or drop it when too many wait; never waits, whatever the sinks do."""
        if len(self._finished) < self._waiting_max:
            self._finished.append(span)
        else:
            self._drop("queue", [span])

    async def run(self, *, interval_seconds: float = 0.5) -> None:
        """Hand on what is finished, until cancelled."""
        while True:
            await asyncio.sleep(interval_seconds)
            await self.flush()
            self._losses.report(now=time.monotonic())

    async def flush(self) -> None:
        """Give what is finished to the exporter, and write what is unwritten as far as PostgreSQL takes it now."""
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
        """Hand on what is left, for four seconds at most; what PostgreSQL does not take by then is dropped."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_SECONDS_MAX):
                await self.flush()
        self._drop("postgresql", list(self._unwritten))
        if self._exporter is not None:
            await asyncio.to_thread(self._exporter.close, _CLOSE_SECONDS_MAX)
        self._losses.report(now=time.monotonic(), last=True)

    async def _write_batch(self) -> bool:
        """Write the oldest spans; False when PostgreSQL is away or slow, and they wait on: writing twice is safe."""
        if self._table is None:
            return False
        batch = [self._unwritten.popleft() for _ in range(min(len(self._unwritten), _BATCH_MAX))]
        lost, self._lost = self._lost, Counter()
        written = False
        try:
            async with asyncio.timeout(_WRITE_SECONDS_MAX):
                await self._table.write([*batch, *(_notice(attempt, spans) for attempt, spans in lost.items())])
            written = True
        except (*POSTGRESQL_AWAY, OSError, TimeoutError):
            return False
        except psycopg.Error as error:
            # Not an outage, so it would be the same again, and everything behind it would wait for ever.
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
        self._losses.add(where, len(spans))
        for span in spans:
            # Noted for each attempt, so that its trace can say what it lacks; bounded like the queue itself.
            if span.attempt is not None and (span.attempt in self._lost or len(self._lost) < self._waiting_max):
                self._lost[span.attempt] += 1


def _notice(attempt: Attempt, spans: int) -> Span:
    return Span(attempt, "dropped", "", new_span_id(), attempt.turn_id, time.time(), attributes={"spans": spans})


def _redact_span(span: Span) -> None:
    """Take out of every text of a span what looks like a secret: nothing should be there, and this is the last step."""
    span.name = _redact_text(span.name)
    span.error = _redact_text(span.error) if span.error else None
    for name, value in span.attributes.items():
        if isinstance(value, str):
            span.attributes[name] = _redact_text(value)


@lru_cache(maxsize=4_096)
def _redact_text(text: str) -> str:
    """Redact and shorten; remembered, because spans repeat a few names all day."""
    return redact(text)[:TEXT_CHARACTERS_MAX]
