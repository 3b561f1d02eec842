"""Promises of `fte trace`: a tree that says what happened, at any width, whatever is missing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rich.console import Console

from ops.cli.trace_page import duration, page_of
from ops.desk.trace import trace_of
from schema.ids import ConversationKey

KEY = ConversationKey("default", "c1")
CAME = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
ROOT, ACT, AGENT = "a" * 16, "b" * 16, "c" * 16


def at(milliseconds: float) -> str:
    return (CAME + timedelta(milliseconds=milliseconds)).isoformat()


def message(position: int = 1, **changes: Any) -> dict[str, Any]:
    row = {
        "position": position,
        "state": "answered",
        "channel": "chat",
        "accepted_at": at(0),
        "number": position,
        "first_position": position,
        "outcome": "answered",
        "agent": "FAQ Agent",
        "attempts": 1,
        "started_at": at(20),
        "committed_at": at(900),
        "timings": {"queue_ms": 20.0, "hydrate_ms": 5.0, "guard_ms": 1.0, "act_ms": 800.0, "model_ms": 500.0},
        "model_calls": [
            {"started_at": 1.0, "milliseconds": 500.0, "input_tokens": 9, "output_tokens": 3, "replayed": False}
        ],
    }
    return {**row, **changes}


def waiting(**changes: Any) -> dict[str, Any]:
    unanswered = dict.fromkeys(
        (
            "number",
            "first_position",
            "outcome",
            "agent",
            "attempts",
            "started_at",
            "committed_at",
            "timings",
            "model_calls",
        )
    )
    return message(**{**unanswered, "state": "accepted", **changes})


def span(kind: str, name: str = "", began: float = 0, took: float = 1, **changes: Any) -> dict[str, Any]:
    row = {
        "span_id": f"{abs(hash((kind, name, began, str(changes)))):016x}"[:16],
        "parent_id": ROOT,
        "turn_id": ROOT,
        "position": 1,
        "attempt": 1,
        "kind": kind,
        "name": name,
        "started_at": at(began),
        "milliseconds": took,
        "error": None,
        "attributes": {},
    }
    return {**row, **changes}


def turn_spans() -> list[dict[str, Any]]:
    counted = {"input_tokens": 1200, "output_tokens": 34, "model": "local", "replayed": False}
    return [
        span("turn", "", 20, 900, span_id=ROOT, parent_id=None, attributes={"outcome": "answered"}),
        span("queue", "", 0, 20),
        span("hydrate", "", 20, 5),
        span("act", "", 30, 800, span_id=ACT),
        span("agent", "Triage Agent", 31, 100, span_id=AGENT, parent_id=ACT),
        span("guardrail", "abuse", 32, 1, parent_id=AGENT, attributes={"tripped": False}),
        span("handoff", "FAQ Agent", 130, 1, parent_id=AGENT),
        span("model", "", 240, 500, parent_id=ACT, attributes=counted),
        span("tool", "faq_lookup", 750, 40, parent_id=ACT, error="tool_failed"),
        span("commit", "", 840, 60),
        span("publish", "", 900, 3),
    ]


def lines(*, width: int = 80, turn: int | None = None, **row: Any) -> list[str]:
    found = trace_of(KEY, {"owner": "bot", "messages": [message()], "spans": [], **row}, turn=turn)
    console = Console(width=width, force_terminal=False, highlight=False)
    with console.capture() as captured:
        console.print(page_of(found))
    return captured.get().splitlines()


def words(found: list[str]) -> list[str]:
    """Leave the tree's guides, leaders and bars out."""
    return [" ".join(line.translate(dict.fromkeys(map(ord, "│├└─·━"), " ")).split()) for line in found]


def test_a_turn_is_drawn_as_a_tree_of_its_steps() -> None:
    told = words(lines(spans=turn_spans()))

    assert told[0].startswith("c1 default trace_")
    assert told[1].startswith("turn 1 answered by FAQ Agent")
    assert told[1].endswith("920 ms")
    assert told[2:] == [
        "waited 20 ms",
        "hydrate 5.0 ms",
        "act 800 ms",
        "agent Triage Agent 100 ms",
        "guardrail abuse passed 1.0 ms",
        "between 97 ms",
        "handoff → FAQ Agent 1.0 ms",
        "between 109 ms",
        "model local 1200 → 34 tokens 500 ms",
        "tool faq_lookup ✗ tool_failed 40 ms",
        "commit 60 ms",
        "publish 3.0 ms",
        "",
        "total 1 turn, 1 model call, 1,200 → 34 tokens, 1 tool call, 1 handoff",
        "time waiting 20 ms, hydrate 5.0 ms, act 800 ms, models in it 500 ms, tools in",
        "it 40 ms, commit 60 ms, publish 3.0 ms",
    ]


@pytest.mark.parametrize("width", [40, 80, 120])
def test_no_line_is_wider_than_the_terminal_and_durations_stand_under_each_other(width: int) -> None:
    drawn = lines(width=width, spans=turn_spans())

    tree = drawn[: drawn.index("")]
    assert max(map(len, drawn)) <= width
    assert {len(line) for line in tree[1:]} == {width}
    assert all(line.endswith("s") for line in tree[1:])


def test_a_wide_terminal_shows_where_in_the_turn_a_step_lies() -> None:
    narrow, wide = lines(width=80, spans=turn_spans()), lines(width=120, spans=turn_spans())

    [model] = [line for line in wide if "model local" in line]
    assert not [line for line in narrow if "━" in line]
    assert model[: model.index("━")].endswith(" " * 5)


def test_an_attempt_that_was_cut_off_stands_beside_the_one_that_resumed() -> None:
    lost = [
        span("hydrate", "", 20, 5, parent_id="d" * 16, turn_id="d" * 16),
        span("model", "", 30, 50, parent_id="e" * 16, turn_id="d" * 16, attributes={"model": "local"}),
    ]
    spans = [{**each, "attempt": 2} for each in turn_spans()]
    spans[0]["attributes"] = {"resumed_steps": 1, "outcome": "answered"}
    spans[7]["attributes"] = {"model": "local", "replayed": True, "input_tokens": 5, "output_tokens": 5}

    spans.append(span("event", "tool.replayed", 750, 0, parent_id=spans[8]["span_id"], attempt=2))

    told = words(lines(messages=[message(attempts=2)], spans=[*lost, *spans]))

    assert told[2].startswith("attempt 1 cut off: its worker died or lost it")
    assert told[3:5] == ["hydrate 5.0 ms", "model local 50 ms"]
    assert told[5].startswith("attempt 2 resumed after 1 recorded step")
    assert "model local 5 → 5 tokens replayed 500 ms" in told
    assert "tool faq_lookup replayed ✗ tool_failed 40 ms" in told
    summary = " ".join(told[told.index("") :]).strip()
    assert summary.startswith(
        "total 1 turn in 2 attempts, 1 model call, 0 → 0 tokens, 0 tool calls, 1 handoff, 2 replayed"
    )


def test_a_turn_under_way_shows_what_is_finished() -> None:
    spans = [each for each in turn_spans() if each["kind"] in {"queue", "hydrate", "model"}]

    told = words(lines(messages=[waiting()], spans=spans))

    assert told[1].startswith("message 1")
    assert told[2].startswith("attempt 1 under way, or its worker died just now")
    assert "model local 1200 → 34 tokens 500 ms" in told


def test_a_failed_attempt_names_its_error() -> None:
    root = span("turn", "", 20, 30, span_id=ROOT, parent_id=None, error="RateLimitError")

    told = words(lines(messages=[waiting()], spans=[root]))

    assert told[2].startswith("attempt 1 failed: RateLimitError")


def test_a_committed_turn_whose_own_span_is_not_written_yet_is_whole() -> None:
    told = words(lines(spans=turn_spans()[1:]))

    assert told[1].startswith("turn 1 answered by FAQ Agent")
    assert not [line for line in told if "attempt" in line]


def test_an_attempt_that_died_after_its_commit_is_told_from_one_that_came_to_nothing() -> None:
    lost = [each for each in turn_spans() if each["kind"] in {"queue", "hydrate", "model"}]
    found = {"span_id": "f" * 16, "turn_id": "f" * 16, "parent_id": None, "attributes": {"admission": "done"}}
    again = span("turn", "", 9_000, 12, attempt=2, **found)

    told = words(lines(spans=[*lost, again]))

    assert told[2].startswith("attempt 1 committed: its last spans are not there")
    assert told[-5].startswith("attempt 2 found it answered already")


def test_without_spans_the_turns_record_is_shown_and_said_to_be_one() -> None:
    told = words(lines(spans=[]))

    assert told[2].startswith("attempt 1 from the turn's record: its spans are gone")
    assert "model 9 → 3 tokens 500 ms" in told


def test_dropped_spans_are_told_where_they_are_missing() -> None:
    told = words(lines(spans=[*turn_spans(), span("dropped", "", 950, 0, attributes={"spans": 4})]))

    assert "4 spans of this turn were dropped: nobody took them in time" in told
    assert told[-1].startswith("4 spans were dropped: look for spans.dropped")


def test_silence_and_takeovers_stand_between_the_turns() -> None:
    second = {"accepted_at": at(60_000), "started_at": at(60_010), "committed_at": at(60_500)}
    event = span("event", "conversation.taken_over", 30_900, 0, turn_id=None, parent_id=None, position=None)

    told = words(lines(messages=[message(1), waiting(position=2, accepted_at=second["accepted_at"])], spans=[event]))

    beside = [line for line in told if "silence" in line or "taken_over" in line or line.startswith("message 2")]
    assert beside[0] == "30.0 s of silence"
    assert beside[1].startswith("conversation.taken_over")
    assert beside[2] == "29.1 s of silence"
    assert beside[3].endswith("waiting")


def test_one_turn_can_be_asked_for() -> None:
    told = words(lines(messages=[message(1), message(2)], spans=[], turn=2))

    assert [line.split(" answered")[0] for line in told if line.startswith("turn")] == ["turn 2"]


def test_a_name_from_outside_cannot_steer_the_terminal() -> None:
    drawn = lines(spans=[*turn_spans(), span("mcp", "[red]\x1b[2Jserver", 850, 1)])

    [line] = [line for line in drawn if "server" in line]
    assert "[red][2Jserver" in line
    assert "\x1b" not in line


@pytest.mark.parametrize(
    ("milliseconds", "written"),
    [
        (0.04, "0.0 ms"),
        (9.94, "9.9 ms"),
        (9.96, "10 ms"),
        (999.4, "999 ms"),
        (999.6, "1.0 s"),
        (59_900, "59.9 s"),
        (60_000, "1 min"),
        (3_600_000, "1.0 h"),
        (90_000_000, "25.0 h"),
    ],
)
def test_a_duration_is_written_in_the_unit_that_keeps_it_short(milliseconds: float, written: str) -> None:
    assert duration(milliseconds) == written


def test_a_message_of_a_burst_points_to_the_one_whose_turn_answered_it() -> None:
    burst = [message(), message(2, number=1, first_position=1, accepted_at=at(10))]

    told = words(lines(messages=burst, spans=turn_spans()))

    assert [line for line in told if line.startswith("message")] == ["message 2 12:00:00 answered with message 1"]
    assert any(line.startswith("total 1 turn,") for line in told)
