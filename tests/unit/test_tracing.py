"""Promises of the tracer: it never waits, loses nothing it could keep, counts what it drops, and lets no secret by."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

import psycopg
import pytest
import structlog.testing

from runtime.telemetry import tracing
from runtime.telemetry.tracing import Losses, Span, Tracer, measure, note
from schema.ids import ConversationKey

KEY = ConversationKey("default", "c")
SECRETS = ("4111 1111 1111 1111", "4111111111111111", "ada@example.com", "078-05-1120", "+1 415-555-0132")


class Table:
    """Keep spans in memory; does first what the test wants."""

    def __init__(self, before: Callable[[], Any] | None = None) -> None:
        self.before = before
        self.rows: dict[str, Span] = {}

    async def write(self, spans: Sequence[Span]) -> None:
        if self.before is not None:
            await self.before()
        for span in spans:
            self.rows.setdefault(span.span_id, span)

    def kinds(self) -> list[str]:
        return [span.kind for span in self.rows.values()]


class Exporter:
    """Keep what is offered."""

    def __init__(self) -> None:
        self.offered: list[Span] = []
        self.closed = False

    def offer(self, spans: Sequence[Span]) -> None:
        self.offered += spans

    def close(self, seconds_max: float) -> None:
        self.closed = True


async def away() -> None:
    raise psycopg.OperationalError("the connection is lost")


async def hang() -> None:
    await asyncio.Event().wait()


def tracer_on(table: Table | None, exporter: Exporter | None = None, *, waiting_max: int = 1_000) -> Tracer:
    return Tracer(table, exporter, Losses(), waiting_max=waiting_max)


def dropped(lines: Sequence[Any]) -> dict[str, int]:
    return {line["where"]: line["spans"] for line in lines if line["event"] == "spans.dropped"}


async def test_what_is_measured_inside_an_attempt_belongs_to_it() -> None:
    table = Table()
    tracer = tracer_on(table)

    with tracer.attempt(KEY, 7, 2) as turn, measure("act") as act:
        with measure("model", parent_id="a" * 16) as model:
            pass
        note("tool", "look_up", started_at=1.0, milliseconds=2.0)
    await tracer.flush()

    rows = list(table.rows.values())
    assert [(row.kind, row.parent_id) for row in rows] == [
        ("model", "a" * 16),
        ("tool", act.span_id),
        ("act", turn.span_id),
        ("turn", None),
    ]
    assert {(row.attempt.key, row.attempt.position, row.attempt.number) for row in rows if row.attempt} == {(KEY, 7, 2)}
    assert model.started_at <= time.time()


async def test_two_attempts_at_once_do_not_mix() -> None:
    table = Table()
    tracer = tracer_on(table)

    async def attempt(conversation: str) -> None:
        with tracer.attempt(ConversationKey("default", conversation), 1, 1):
            await asyncio.sleep(0)
            with measure("act"):
                await asyncio.sleep(0)

    await asyncio.gather(attempt("one"), attempt("two"))
    await tracer.flush()

    acts = [row for row in table.rows.values() if row.kind == "act"]
    assert sorted(
        (row.attempt.key.conversation, row.parent_id == row.attempt.turn_id) for row in acts if row.attempt
    ) == [
        ("one", True),
        ("two", True),
    ]


def test_outside_an_attempt_time_is_measured_and_nothing_kept() -> None:
    with measure("act") as span:
        note("tool", "look_up", started_at=1.0)

    assert span.milliseconds >= 0
    assert span.attempt is None


async def test_traces_that_are_off_are_measured_and_not_kept() -> None:
    tracer = tracer_on(None)

    with tracer.attempt(KEY, 1, 1) as turn, measure("act"):
        pass
    await tracer.flush()

    assert turn.attempt is None


async def test_what_is_raised_is_told_by_its_type_alone() -> None:
    table = Table()
    tracer = tracer_on(table)

    with pytest.raises(ValueError, match="ada"), tracer.attempt(KEY, 1, 1):
        raise ValueError("ada@example.com has card 4111111111111111 and booking DEMO42")
    await tracer.flush()

    assert [row.error for row in table.rows.values()] == ["ValueError"]


@pytest.mark.parametrize("secret", SECRETS)
async def test_no_text_of_a_span_keeps_a_secret(secret: str) -> None:
    table, exporter = Table(), Exporter()
    tracer = tracer_on(table, exporter)

    with tracer.attempt(KEY, 1, 1) as turn:
        turn.name, turn.error = f"turn of {secret}", secret
        turn.attributes.update(told=f"he said {secret}", tokens=3)
        note("tool", secret, started_at=1.0, error=secret, argument=secret)
    await tracer.flush()

    seen = repr([(s.name, s.error, s.attributes) for s in [*table.rows.values(), *exporter.offered]])
    assert secret not in seen
    assert "'tokens': 3" in seen


async def test_a_full_queue_drops_counts_and_says_of_which_attempt() -> None:
    table = Table()
    tracer = tracer_on(table, waiting_max=3)

    with structlog.testing.capture_logs() as lines:
        with tracer.attempt(KEY, 1, 1) as turn:
            for _ in range(10):
                note("tool", "look_up", started_at=1.0)
        await tracer.flush()
        await tracer.close()

    assert table.kinds() == ["tool", "tool", "tool", "dropped"]
    notice = list(table.rows.values())[-1]
    assert (notice.attributes, notice.parent_id) == ({"spans": 8}, turn.span_id)
    assert dropped(lines) == {"queue": 8}


async def test_spans_wait_while_postgresql_is_away_and_are_written_once_when_it_is_back() -> None:
    table, exporter = Table(away), Exporter()
    tracer = tracer_on(table, exporter)

    for position in (1, 2):
        with tracer.attempt(KEY, position, 1):
            pass
        await tracer.flush()
    assert (table.kinds(), len(exporter.offered)) == ([], 2)
    table.before = None
    await tracer.flush()

    assert [row.attempt.position for row in table.rows.values() if row.attempt] == [1, 2]
    assert len(exporter.offered) == 2


async def test_an_outage_that_lasts_drops_the_oldest_and_keeps_the_newest() -> None:
    table = Table(away)
    tracer = tracer_on(table, waiting_max=3)

    for position in range(1, 6):
        with tracer.attempt(KEY, position, 1):
            pass
        await tracer.flush()
    table.before = None
    await tracer.flush()

    rows = [(row.kind, row.attempt.position) for row in table.rows.values() if row.attempt]
    assert rows == [("turn", 3), ("turn", 4), ("turn", 5), ("dropped", 1), ("dropped", 2)]


async def test_a_database_that_hangs_holds_up_neither_the_measured_nor_the_exporter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tracing, "_WRITE_SECONDS_MAX", 0.01)
    table, exporter = Table(hang), Exporter()
    tracer = tracer_on(table, exporter)

    with tracer.attempt(KEY, 1, 1):
        pass
    await asyncio.wait_for(tracer.flush(), 5)

    assert len(exporter.offered) == 1


async def test_what_postgresql_refuses_is_dropped_so_that_the_rest_gets_by() -> None:
    async def refuse() -> None:
        table.before = None
        raise psycopg.DataError("unsupported Unicode escape sequence")

    table = Table(refuse)
    tracer = tracer_on(table)

    for position in (1, 2):
        with tracer.attempt(KEY, position, 1):
            pass
        await tracer.flush()

    rows = [(row.kind, row.attempt.position) for row in table.rows.values() if row.attempt]
    assert rows == [("turn", 2), ("dropped", 1)]


async def test_a_tracer_that_closes_writes_what_is_left_and_gives_up_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "_CLOSE_SECONDS_MAX", 0.01)
    table, exporter, hanging = Table(), Exporter(), Table(hang)
    tracer, stuck = tracer_on(table, exporter), tracer_on(hanging)

    for each in (tracer, stuck):
        with each.attempt(KEY, 1, 1):
            pass
    with structlog.testing.capture_logs() as lines:
        await tracer.close()
        await asyncio.wait_for(stuck.close(), 5)

    assert (table.kinds(), exporter.closed) == (["turn"], True)
    assert dropped(lines) == {"postgresql": 1}


def test_losses_are_said_once_in_a_while() -> None:
    losses = Losses()

    with structlog.testing.capture_logs() as lines:
        for second in range(12):
            losses.add("otlp", 1)
            losses.report(now=100.0 + second)

    assert [(line["spans"], line["spans_since_start"]) for line in lines] == [(1, 1), (10, 11)]
