"""The pure rules of a turn: who is admitted, what a failure is, how history is cut."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from schema.ids import ConversationKey
from schema.messages.inbound import Inbound
from tests.unit.airline_stand_ins import make_turn
from worker.conversation.context import AirlineAgentContext
from worker.pipeline.admit import admit
from worker.pipeline.answers import fit, spoken
from worker.pipeline.commit import EffectConflict, Fenced
from worker.pipeline.failure import backoff_seconds, classify_failure
from worker.pipeline.outcome import OpenedMessage, Snapshot
from worker.store.session import ConversationSession, window_of


def _message(position: int = 1, attempts: int = 1) -> OpenedMessage:
    inbound = Inbound(
        message_id="m", tenant="default", conversation="c", channel="chat", sender="a@example.com", text="hello"
    )
    return OpenedMessage(ConversationKey("default", "c"), position, inbound, "sealed", attempts)


def _snapshot(**changes: Any) -> Snapshot:
    values: dict[str, Any] = {
        "version": 0,
        "owner": "bot",
        "last_position": 1,
        "done_position": 0,
        "last_sequence": 0,
        "last_ordinal": 0,
        "last_agent": None,
        "context": AirlineAgentContext(),
        "vault": {},
        "state": "accepted",
        "read_at": datetime(2026, 1, 31, 12, tzinfo=UTC),
        "accepted_at": datetime(2026, 1, 31, 12, tzinfo=UTC),
        "waited_seconds": 0.0,
        "items": [],
        "unpublished": [],
        "journal": [],
    }
    return Snapshot(**{**values, **changes})


@pytest.mark.parametrize(
    ("message", "snapshot", "expected"),
    [
        (_message(), _snapshot(), "act"),
        (_message(), None, "stray"),
        (_message(), _snapshot(state=None), "stray"),
        (_message(), _snapshot(state="answered", done_position=1), "done"),
        (_message(), _snapshot(state="dead", done_position=1), "done"),
        (_message(2), _snapshot(done_position=0), "repair"),
        (_message(), _snapshot(owner="human"), "forward"),
        (_message(attempts=3), _snapshot(), "act"),
        (_message(attempts=4), _snapshot(), "bury"),
        (_message(attempts=4), _snapshot(owner="human"), "forward"),
        (_message(attempts=7), _snapshot(owner="human"), "bury"),
        (replace(_message(), unreadable="no key opens it"), _snapshot(), "bury"),
        (replace(_message(), unreadable="no key opens it"), _snapshot(owner="human"), "bury"),
        (replace(_message(2), unreadable="no key opens it"), _snapshot(), "repair"),
    ],
)
def test_admit_decides_from_what_was_read(message: OpenedMessage, snapshot: Snapshot | None, expected: str) -> None:
    assert admit(message, snapshot, attempts_max=3) == expected


def _wrapped(cause: Exception) -> Exception:
    error = RuntimeError("a tool failed")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (Fenced("moved on"), "again"),
        (EffectConflict("the seat is gone"), "again"),
        (psycopg.OperationalError("gone"), "outage"),
        (RedisConnectionError("gone"), "outage"),
        (_wrapped(psycopg.OperationalError("gone")), "outage"),
        (TimeoutError(), "transient"),
        (KeyError("x"), "bug"),
    ],
)
def test_every_failure_has_one_class(error: Exception, expected: str) -> None:
    assert classify_failure(error) == expected


def test_the_wait_between_attempts_doubles_up_to_its_cap() -> None:
    waits = [backoff_seconds(attempts, first=1, most=8) for attempts in (1, 2, 3, 4, 10, 1_000)]

    for wait, most in zip(waits, [1, 2, 4, 8, 8, 8], strict=True):
        assert most / 2 <= wait <= most


CALL = {"type": "function_call", "call_id": "1", "name": "t", "arguments": "{}"}
OUTPUT = {"type": "function_call_output", "call_id": "1", "output": "x"}
USER = {"role": "user", "content": "hello"}
SAID = {"role": "assistant", "content": "hi"}


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([], []),
        ([USER, CALL, OUTPUT, SAID], [USER, CALL, OUTPUT, SAID]),
        ([OUTPUT, SAID, USER, SAID], [USER, SAID]),
        ([OUTPUT, SAID], [SAID]),
        ([SAID, CALL], [SAID]),
        ([CALL, OUTPUT, SAID], [CALL, OUTPUT, SAID]),
    ],
)
def test_a_history_window_never_splits_a_tool_call_from_its_output(items: list[Any], expected: list[Any]) -> None:
    assert window_of(items) == expected


async def test_arguments_that_were_stored_broken_are_not_sent_again() -> None:
    stored: Any = [{**CALL, "arguments": '{"question": "how'}, {**CALL, "arguments": '{"a": 1}'}, {**CALL}]

    served: Any = await ConversationSession("c", stored).get_items()

    assert [item["arguments"] for item in served] == ["{}", '{"a": 1}', CALL.get("arguments", "{}")]


async def test_a_session_serves_what_it_buffers_and_keeps_what_is_committed() -> None:
    session = ConversationSession("c", [USER, SAID])  # type: ignore[list-item]

    await session.add_items([CALL, OUTPUT])  # type: ignore[list-item]
    assert await session.get_items() == [USER, SAID, CALL, OUTPUT]
    assert await session.get_items(limit=1) == [OUTPUT]
    assert await session.pop_item() == OUTPUT
    await session.clear_session()

    assert session.added == []
    assert await session.pop_item() is None
    assert await session.get_items() == [USER, SAID]


@pytest.mark.parametrize(
    ("text", "characters_max", "fitting"),
    [
        ("One bag is free.", 16, "One bag is free."),
        ("One bag is free. The second costs $50.", 30, "One bag is free. \u2026"),
        ("One bag\nThe second costs $50.", 20, "One bag \u2026"),
        ("Nowhere does this text end", 10, "Nowhere d\u2026"),
    ],
)
def test_a_text_that_is_too_long_for_its_channel_ends_after_a_sentence(
    text: str, characters_max: int, fitting: str
) -> None:
    assert fit(text, characters_max) == fitting
    assert len(fitting) <= characters_max


@pytest.mark.parametrize(("channel", "most"), [("sms", 1_600), ("chat", 40_000), ("email", 40_000)])
def test_a_reply_is_as_long_as_its_channel_takes(channel: str, most: int) -> None:
    turn = replace(make_turn(), channel=channel)

    answer = spoken(turn, "One bag is free. " * 3_000, "FAQ Agent", [])

    assert most - 20 <= len(answer.reply or "") <= most
