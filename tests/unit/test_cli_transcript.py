from __future__ import annotations

import json
from typing import Any

from rich.console import Console

from ops.cli.transcript_page import page_of, total_milliseconds
from ops.desk.transcript import OUTPUT_CHARACTERS_MAX, Line, Transcript, read_lines

COMMITTED = "2026-01-31T12:00:00+00:00"


def stored(turn: int, **item: Any) -> dict[str, Any]:
    return {"turn": turn, "item": item}


def turn_row(number: int, agent: str | None, **changes: Any) -> dict[str, Any]:
    timings = {"queue_ms": 10.0, "hydrate_ms": 2.0, "guard_ms": 1.0, "act_ms": 50.0, "model_ms": 40.0}
    row = {"number": number, "agent": agent, "outcome": "answered", "attempts": 1, "committed_at": COMMITTED}
    return {**row, "timings": timings, **changes}


def transcript(**changes: Any) -> Transcript:
    values: dict[str, Any] = {
        "tenant": "default",
        "conversation": "c1",
        "trace_id": "trace_1",
        "owner": "bot",
        "last_agent": "FAQ Agent",
        "accepted": 1,
        "replies": 1,
        "waiting": 0,
        "unpublished": 0,
        "context": {},
        "lines": [],
        "turns": [],
        "tickets": [],
        "dead_letters": [],
    }
    return Transcript(**{**values, **changes})


def shown(found: Transcript) -> str:
    console = Console(width=110, record=True, file=None, force_terminal=False, highlight=False)
    with console.capture() as captured:
        console.print(page_of(found))
    return captured.get()


def test_a_message_is_told_by_who_said_it() -> None:
    items = [
        stored(1, role="user", content="hi"),
        stored(1, type="message", role="assistant", content=[{"type": "output_text", "text": "hello"}]),
        stored(2, role="assistant", content="bye"),
    ]

    lines = read_lines(items, [turn_row(1, "FAQ Agent"), turn_row(2, None)])

    assert lines == [
        Line("customer", "customer", "hi", 1),
        Line("agent", "FAQ Agent", "hello", 1),
        Line("agent", "bot", "bye", 2),
    ]


def test_a_tool_call_is_told_with_its_arguments_and_its_answer() -> None:
    items = [
        stored(
            1, type="function_call", name="find_free_seats", call_id="c", arguments='{"preference":"window","n":""}'
        ),
        stored(1, type="function_call_output", call_id="c", output='{"ok": true}'),
    ]

    lines = read_lines(items, [])

    assert lines == [
        Line("tool", "find_free_seats", "preference=window", 1),
        Line("tool", "→", '{"ok": true}', 1),
    ]


def test_a_handoff_is_told_by_the_agent_it_went_to() -> None:
    items = [
        stored(1, type="function_call", name="transfer_to_faq_agent", call_id="c", arguments="{}"),
        stored(1, type="function_call_output", call_id="c", output=json.dumps({"assistant": "FAQ Agent"})),
    ]

    assert read_lines(items, []) == [Line("handoff", "handoff", "FAQ Agent", 1)]


def test_a_long_answer_of_a_tool_is_shortened() -> None:
    lines = read_lines([stored(1, type="function_call_output", call_id="c", output="x" * 9_000)], [])

    assert len(lines[0].text) == OUTPUT_CHARACTERS_MAX


def test_items_of_a_kind_nobody_reads_are_left_out() -> None:
    assert read_lines([stored(1, type="reasoning", summary=[])], []) == []


def test_arguments_that_are_no_json_are_shown_as_they_are() -> None:
    lines = read_lines([stored(1, type="function_call", name="f", call_id="c", arguments="{broken")], [])

    assert lines[0].text == "{broken"


def test_the_total_counts_the_models_time_once() -> None:
    assert total_milliseconds(turn_row(1, None)["timings"]) == 63.0


def test_the_page_shows_what_was_said_and_where_the_time_went() -> None:
    page = shown(
        transcript(
            lines=[
                Line("customer", "customer", "hi [CONFIRMATION_NUMBER_1]", 1),
                Line("agent", "FAQ Agent", "hello", 1),
            ],
            turns=[turn_row(1, "FAQ Agent")],
            context={"passenger_name": "Ada", "verified": True, "seat_number": None, "pii_detected": ["PHONE"]},
        )
    )

    assert "hi [CONFIRMATION_NUMBER_1]" in page
    assert "passenger name" in page
    assert "seat number" not in page
    row = next(line for line in page.splitlines() if "answered" in line).split()
    assert row[:9] == ["1", "answered", "1", "10", "2", "1", "50", "40", "63"]


def test_a_customer_cannot_steer_the_terminal() -> None:
    page = shown(transcript(lines=[Line("customer", "customer", "\x1b]0;owned\x07[red]hi\x1b[2J", 1)]))

    assert "\x1b" not in page
    assert "\x07" not in page
    assert "[red]hi" in page


def test_a_human_owner_tickets_and_dead_letters_stand_out() -> None:
    page = shown(
        transcript(
            owner="human",
            unpublished=2,
            tickets=[
                {
                    "ticket_id": "T-ABC",
                    "category": "abuse",
                    "priority": "high",
                    "opened_at": COMMITTED,
                    "answer_by": COMMITTED,
                    "closed_at": None,
                }
            ],
            dead_letters=[
                {
                    "dead_letter_id": 7,
                    "message_id": None,
                    "reason": "no answer after 5 attempts",
                    "attempts": 5,
                    "created_at": COMMITTED,
                }
            ],
        )
    )

    assert "a human: the bot is silent" in page
    assert "2 not yet published" in page
    assert "T-ABC" in page
    assert "no answer after 5 attempts" in page
