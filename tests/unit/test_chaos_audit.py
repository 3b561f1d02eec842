"""An auditor that cannot fail proves nothing: each promise is broken once, and it must say so."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ops.lab.chaos.audit import Evidence, audit

START = datetime(2026, 1, 1, tzinfo=UTC)


def _reply(sequence: int, message: str, reply_id: str | None = None, *, change: bool = False) -> dict[str, Any]:
    return {
        "kind": "reply",
        "id": reply_id or f"r-{sequence}",
        "by": 7,
        "stream": "replies",
        "conversation": "run-1",
        "sequence": sequence,
        "in_reply_to": [message],
        "reports_change": change,
    }


def _ticket(ticket: str) -> dict[str, Any]:
    return {
        "kind": "escalation",
        "id": ticket,
        "by": 7,
        "stream": "escalations",
        "conversation": "run-1",
        "sequence": 1,
        "in_reply_to": [],
        "reports_change": False,
    }


def _turn(number: int, message: str) -> dict[str, Any]:
    committed_at = START + timedelta(seconds=2 * number)
    return {
        "conversation_id": "run-1",
        "number": number,
        "message_ids": [message],
        "committed_at": committed_at,
        "calls": 1,
        "attempts": 1,
    }


def _inbox(position: int, message: str, state: str = "answered") -> dict[str, Any]:
    accepted_at = START + timedelta(seconds=position)
    return {"position": position, "message_id": message, "state": state, "accepted_at": accepted_at}


def _call(status: int, fault: str | None = None) -> dict[str, Any]:
    return {"status": status, "fault": fault}


GOOD = Evidence(
    ledger=[{"message_id": f"m-{n}", "position": n, "conversation": "run-1"} for n in (1, 2)],
    outbound=[_reply(1, "m-1"), _reply(2, "m-2", change=True), _ticket("t-1")],
    raw=[{"id": "r-1"}, {"id": "r-2"}],
    calls=[_call(200), _call(200), _call(0)],
    inbox=[_inbox(1, "m-1"), _inbox(2, "m-2")],
    turns=[_turn(1, "m-1"), _turn(2, "m-2")],
    outbox=[{"kind": "escalation", "entry_id": "t-1"}],
    changes=[{"conversation_id": "run-1", "changes": 1}],
    reservations=[],
    moments=[],
)


def test_a_run_that_kept_every_promise_is_good() -> None:
    findings = audit(GOOD)

    assert findings.is_good
    assert findings.examples == []
    assert (findings.messages, findings.changes, findings.asked_again, findings.raw_duplicates) == (2, 1, 0, 0)


@pytest.mark.parametrize(
    ("found", "change"),
    [
        ("lost", {"inbox": [_inbox(1, "m-1"), _inbox(2, "m-2", "accepted")]}),
        ("lost", {"inbox": [_inbox(1, "m-1")], "turns": [_turn(1, "m-1")], "outbound": [_reply(1, "m-1")]}),
        ("lost", {"outbound": [_reply(1, "m-1"), _ticket("t-1")]}),
        ("lost", {"ledger": [], "outbound": [_reply(1, "m-1")]}),
        ("duplicated", {"outbound": [*GOOD.outbound, _reply(3, "m-2")]}),
        ("duplicated", {"turns": [*GOOD.turns, _turn(3, "m-2")]}),
        ("duplicated", {"outbound": [*GOOD.outbound, _reply(3, "m-9")]}),
        ("out_of_order", {"outbound": [_reply(2, "m-2", change=True), _reply(1, "m-1"), _ticket("t-1")]}),
        ("out_of_order", {"outbound": [_reply(1, "m-1"), _reply(3, "m-2", change=True), _ticket("t-1")]}),
        ("out_of_order", {"turns": [_turn(1, "m-2"), _turn(2, "m-1")]}),
        ("out_of_order", {"ledger": [{"message_id": "m-1", "position": 2, "conversation": "run-1"}]}),
        ("effects_doubled", {"changes": [{"conversation_id": "run-1", "changes": 2}]}),
        ("effects_doubled", {"changes": []}),
        ("effects_doubled", {"outbound": [*GOOD.outbound, _ticket("t-1")]}),
        ("effects_doubled", {"outbound": GOOD.outbound[:2]}),
        ("effects_doubled", {"reservations": [{"reservation_id": 7, "version": 2, "changes": 1}]}),
    ],
)
def test_a_broken_promise_is_found(found: str, change: dict[str, Any]) -> None:
    findings = audit(replace(GOOD, **change))

    assert getattr(findings, found) > 0
    assert not findings.is_good
    assert findings.examples


HANDED_ON_AGAIN = [*GOOD.outbound, {**_reply(2, "m-2", change=True), "by": 8}]


def test_the_last_entry_that_a_killed_consumer_handed_on_may_come_again_and_is_counted_apart() -> None:
    findings = audit(replace(GOOD, outbound=HANDED_ON_AGAIN, consumers_killed={7}))

    assert findings.is_good
    assert (findings.handed_again, findings.raw_duplicates) == (1, 0)


@pytest.mark.parametrize(
    ("outbound", "killed"),
    [
        pytest.param(HANDED_ON_AGAIN, set(), id="nobody was killed"),
        pytest.param(HANDED_ON_AGAIN, {8}, id="another one was killed"),
        pytest.param([*GOOD.outbound, {**_reply(1, "m-1"), "by": 8}], {7}, id="not its last one"),
        pytest.param([*HANDED_ON_AGAIN, {**_reply(2, "m-2"), "by": 9}], {7}, id="twice for one death"),
        pytest.param([*HANDED_ON_AGAIN, {**_reply(2, "m-2", "r-9"), "by": 8}], {7}, id="under another id"),
    ],
)
def test_no_other_repeat_is_excused(outbound: list[dict[str, Any]], killed: set[int]) -> None:
    findings = audit(replace(GOOD, outbound=outbound, consumers_killed=killed))

    assert findings.duplicated > 0


def test_where_redis_forgets_too_whatever_a_killed_consumer_handed_on_may_come_again_under_its_id() -> None:
    repeats = [{**_reply(1, "m-1"), "by": 8}, {**_reply(2, "m-2", change=True), "by": 8}]
    forgetful = replace(GOOD, outbound=[*GOOD.outbound, *repeats], consumers_killed={7}, redis_forgets=True)
    by_itself = replace(GOOD, outbound=[*GOOD.outbound, _reply(1, "m-1")], consumers_killed={7}, redis_forgets=True)
    other_id = replace(forgetful, outbound=[*GOOD.outbound, {**_reply(1, "m-1", "r-9"), "by": 8}])

    findings = audit(forgetful)

    assert findings.is_good
    assert findings.handed_again == 2
    assert audit(by_itself).duplicated == audit(other_id).duplicated == 1


def test_what_crashes_cost_is_counted_apart() -> None:
    more = replace(GOOD, raw=[*GOOD.raw, {"id": "r-2"}], calls=[*GOOD.calls, _call(200)])

    findings = audit(more)

    assert findings.is_good
    assert (findings.raw_duplicates, findings.asked_again) == (1, 1)


def test_a_call_that_was_broken_off_is_told_from_one_that_was_made_to_fail() -> None:
    findings = audit(replace(GOOD, calls=[*GOOD.calls, _call(0, "hang"), _call(500, "500")]))

    assert findings.broken_off == 1


def test_the_time_to_move_again_is_that_of_the_slowest_conversation_that_waited() -> None:
    # m-1: accepted at 1 s, committed at 2 s; m-2: accepted at 2 s, committed at 4 s
    def moved_after(seconds: float) -> float:
        return audit(replace(GOOD, moments=[START.timestamp() + seconds])).moved_again_seconds

    assert moved_after(1.5) == pytest.approx(0.5)
    assert moved_after(2.5) == pytest.approx(1.5)
    assert moved_after(9) == 0
