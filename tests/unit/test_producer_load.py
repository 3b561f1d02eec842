from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.lab.load.options import LoadOptions
from ops.lab.load.scripts import KIND_WEIGHTS, BookingAccess, make_scripts
from ops.lab.load.sending import MessagePlan
from ops.verify.tally import ModelWork, Sent, Tally, covered_seconds, distribution, is_kept, nearest_rank
from schema.channels import CHANNELS
from schema.messages.reply import Reply
from tests.unit.load_report import reply

BOOKINGS = (BookingAccess("DEMO42", "Ada", "Okafor"),)


def tally_of(**conversations: int) -> Tally:
    """Send that many messages in each conversation, one a second from 100 s on; all accepted."""
    tally = Tally()
    for conversation, messages in conversations.items():
        for place in range(messages):
            name = f"{conversation}-{place}"
            tally.sent[name] = Sent(conversation, place, due_at=100.0 + place)
            tally.take_receipt(name)
    return tally


def counts(tally: Tally) -> tuple[int, int, int, int, int]:
    report = tally.report(ModelWork())
    return report["messages"], report["replies"], report["lost"], report["duplicated"], report["out_of_order"]


def test_a_run_in_which_all_is_answered_in_order_is_clean() -> None:
    tally = tally_of(a=2, b=1)

    tally.take_reply(reply(1, "a-0"), 101)
    tally.take_reply(reply(1, "b-0", conversation="b"), 102)
    tally.take_reply(reply(2, "a-1"), 103)

    assert counts(tally) == (3, 3, 0, 0, 0)
    assert tally.unanswered == 0


def test_one_reply_may_answer_several_messages() -> None:
    tally = tally_of(a=3)

    tally.take_reply(reply(1, "a-0", "a-1"), 101)
    tally.take_reply(reply(2, "a-2"), 102)

    assert counts(tally) == (3, 2, 0, 0, 0)


def test_an_accepted_message_without_a_reply_is_lost() -> None:
    tally = tally_of(a=2)

    tally.take_reply(reply(1, "a-0"), 101)

    assert counts(tally) == (2, 1, 1, 0, 0)
    assert tally.unanswered == 1


def test_what_is_only_late_or_was_not_read_is_no_loss() -> None:
    tally = tally_of(a=4)

    tally.take_reply(reply(1, "a-0"), 101)
    report = tally.report(ModelWork(), {"a-0": "answered", "a-1": "answered", "a-2": "accepted"})

    assert (report["lost"], report["unanswered"], report["unread"]) == (1, 1, 1)
    assert not is_kept(report)


def test_a_message_that_was_never_accepted_is_not_lost() -> None:
    tally = tally_of(a=1)
    tally.sent["a-1"] = Sent("a", 1, due_at=101)

    tally.take_reply(reply(1, "a-0"), 101)

    assert counts(tally) == (1, 1, 0, 0, 0)


def test_a_message_with_two_different_replies_is_duplicated() -> None:
    tally = tally_of(a=1)

    tally.take_reply(reply(1, "a-0"), 101)
    tally.take_reply(reply(2, "a-0"), 102)

    assert counts(tally)[3] == 1


def test_a_reply_that_stands_twice_in_its_stream_is_repeated_and_consumers_pass_over_it() -> None:
    tally = tally_of(a=1)

    tally.take_reply(reply(1, "a-0"), 101)
    tally.take_reply(reply(1, "a-0"), 102)

    assert counts(tally) == (1, 1, 0, 0, 0)
    assert tally.report(ModelWork())["repeated"] == 1


@pytest.mark.parametrize(
    "replies",
    [
        [reply(2, "a-0")],
        [reply(1, "a-0"), reply(3, "a-1")],
        [reply(1, "a-1"), reply(2, "a-0")],
    ],
    ids=["starts at 2", "leaves a gap", "answers the later message first"],
)
def test_a_reply_out_of_its_place_is_out_of_order(replies: list[Reply]) -> None:
    tally = tally_of(a=2)

    for entry in replies:
        tally.take_reply(entry, 101)

    assert counts(tally)[4] == 1


def test_another_runs_reply_is_passed_over() -> None:
    tally = tally_of(a=1)

    assert not tally.take_reply(reply(1, "other-0"), 101)
    assert counts(tally) == (1, 0, 1, 0, 0)


def test_a_reply_that_comes_before_its_receipt_counts() -> None:
    tally = Tally()
    tally.sent["a-0"] = Sent("a", 0, due_at=100)

    tally.take_reply(reply(1, "a-0"), 101)
    tally.take_receipt("a-0")

    assert tally.unanswered == 0
    assert counts(tally) == (1, 1, 0, 0, 0)


def test_latency_counts_from_when_a_message_was_due_and_overhead_leaves_the_models_out() -> None:
    tally = tally_of(a=2)
    tally.take_reply(reply(1, "a-0"), 101.5)
    tally.take_reply(reply(2, "a-1"), 103)

    report = tally.report(ModelWork({"a": [(100.1, 101.1), (101.6, 102.9)]}))

    assert report["latency_ms"] == {"p50": 1500.0, "p95": 2000.0, "p99": 2000.0, "max": 2000.0}
    # The second message waited for the first one's model call from 101 to 101.1, and for its own.
    assert report["overhead_ms"] == {"p50": 500.0, "p95": 600.0, "p99": 600.0, "max": 600.0}
    assert report["messages_per_s"] == 0.7


def test_agents_calls_and_all_tokens_are_counted_per_turn_and_replayed_answers_are_none() -> None:
    call = {"started_at": 100.0, "milliseconds": 500.0, "input_tokens": 300, "output_tokens": 20, "replayed": False}
    work = ModelWork()
    work.add_turn("a", [call, call | {"started_at": 101.0}, call | {"replayed": True}])
    work.add_turn("a", [call | {"purpose": "guardrail"}])

    report = tally_of(a=2).report(work)

    assert report["model_calls_per_turn"] == 1
    assert (report["input_tokens_per_turn"], report["output_tokens_per_turn"]) == (450, 30)
    assert work.intervals["a"][1] == (101.0, 101.5)


def test_a_run_without_any_answer_has_a_report_of_zeros() -> None:
    report = tally_of(a=1).report(ModelWork())

    assert report["messages_per_s"] == 0
    assert report["latency_ms"] == {"p50": 0, "p95": 0, "p99": 0, "max": 0}
    assert report["model_calls_per_turn"] == report["input_tokens_per_turn"] == 0


@pytest.mark.parametrize(
    ("intervals", "covered"),
    [
        ([], 0),
        ([(0, 5)], 0),
        ([(25, 30)], 0),
        ([(5, 15)], 5),
        ([(15, 25)], 5),
        ([(0, 30)], 10),
        ([(12, 14), (11, 13)], 3),
        ([(11, 18), (12, 13)], 7),
        ([(11, 12), (13, 14)], 2),
    ],
)
def test_covered_time_counts_overlaps_once_and_nothing_outside(
    intervals: list[tuple[float, float]], covered: float
) -> None:
    assert covered_seconds(intervals, 10, 20) == covered


def test_percentiles_are_by_nearest_rank() -> None:
    values = [15.0, 20.0, 35.0, 40.0, 50.0]

    assert [nearest_rank(values, percent) for percent in (5, 30, 40, 50, 100)] == [15, 20, 20, 35, 50]
    assert distribution(list(range(1, 101))) == {"p50": 50, "p95": 95, "p99": 99, "max": 100}


@given(st.lists(st.floats(0, 1e6), min_size=1), st.integers(1, 100))
def test_a_percentile_is_a_value_that_enough_others_do_not_exceed(values: list[float], percent: int) -> None:
    ranked = sorted(values)

    found = nearest_rank(ranked, percent)

    assert found in values
    assert sum(value <= found for value in values) >= percent / 100 * len(values)


def test_the_same_seed_makes_the_same_customers_and_another_makes_others() -> None:
    first, again, other = (make_scripts(seed, 50, 4, channels=CHANNELS, bookings=BOOKINGS) for seed in (1, 1, 2))

    assert first == again
    assert first != other


def test_kinds_come_as_often_as_they_are_weighted() -> None:
    kinds = Counter(script.kind for script in make_scripts(1, 5_000, 1, channels=CHANNELS))

    assert sum(KIND_WEIGHTS.values()) == 100
    for kind, weight in KIND_WEIGHTS.items():
        assert abs(kinds[kind] / 50 - weight) < 3, kind


@pytest.mark.parametrize("turns", [1, 2, 5, 12])
def test_every_customer_writes_as_often_as_asked_in_messages_that_are_accepted(turns: int) -> None:
    options = LoadOptions(conversations=60, turns=turns, model_latency_ms="20..60", bookings=BOOKINGS)

    plan = MessagePlan(options)
    written = [plan.write(planned) for planned in plan.messages]

    assert len({inbound.message_id for inbound in written}) == 60 * turns
    assert [planned.due.place for planned in plan.messages] == [number // 60 for number in range(60 * turns)]
    assert {inbound.metadata["fte.model_latency_ms"] for inbound in written} == {"20..60"}
    assert {inbound.subject is None for inbound in written if inbound.channel != "email"} == {True}


def test_a_message_is_named_after_run_conversation_and_turn() -> None:
    options = LoadOptions(conversations=2, turns=2, run="r1")

    assert [planned.message_id for planned in MessagePlan(options).messages] == [
        "load-r1-0-0",
        "load-r1-1-0",
        "load-r1-0-1",
        "load-r1-1-1",
    ]
