from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ops.demo.tally import tally
from schema.messages import Escalation, Reply

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


def reply(conversation: str, sequence: int, message: str, *, name: str | None = None) -> Reply:
    return Reply(
        reply_id=name or f"reply_{conversation}_{sequence}",
        tenant="default",
        conversation=conversation,
        sequence=sequence,
        in_reply_to=[message],
        channel="chat",
        recipient="you",
        text="hello",
        agent="FAQ Agent",
        issue_type="faq",
        trace_id="trace",
        created_at=NOW,
    )


def escalation(conversation: str) -> Escalation:
    return Escalation(
        ticket_id="T-1",
        tenant="default",
        conversation=conversation,
        category="abuse",
        reason="r",
        summary="s",
        priority="high",
        answer_by=NOW + timedelta(hours=1),
        trace_id="trace",
        created_at=NOW,
    )


def test_everything_answered_once_and_in_order_is_clean() -> None:
    found = tally({"a": ["1", "2"], "b": ["1"]}, [reply("a", 1, "1"), reply("b", 1, "1"), reply("a", 2, "2")], [])

    assert found.is_clean
    assert str(found) == ("2 conversations, 3 messages, 3 replies, 0 escalations, 0 lost, 0 duplicated, 0 out of order")


def test_a_message_without_a_reply_is_lost() -> None:
    found = tally({"a": ["1", "2"]}, [reply("a", 1, "1")], [])

    assert (found.lost, found.duplicated, found.out_of_order) == (1, 0, 0)
    assert not found.is_clean


def test_a_message_answered_by_two_replies_is_duplicated() -> None:
    found = tally({"a": ["1"]}, [reply("a", 1, "1"), reply("a", 2, "1")], [])

    assert (found.lost, found.duplicated, found.out_of_order) == (0, 1, 0)


def test_an_entry_that_stands_in_the_stream_twice_is_duplicated_and_not_out_of_order() -> None:
    found = tally({"a": ["1", "2"]}, [reply("a", 1, "1"), reply("a", 1, "1"), reply("a", 2, "2")], [])

    assert (found.lost, found.duplicated, found.out_of_order) == (0, 1, 0)


def test_a_gap_in_the_sequence_is_out_of_order() -> None:
    found = tally({"a": ["1", "2"]}, [reply("a", 1, "1"), reply("a", 3, "2")], [])

    assert found.out_of_order == 1


def test_replies_to_messages_in_another_order_than_sent_are_out_of_order() -> None:
    found = tally({"a": ["1", "2"]}, [reply("a", 1, "2"), reply("a", 2, "1")], [])

    assert (found.lost, found.out_of_order) == (0, 1)


def test_a_reply_to_a_message_nobody_sent_is_out_of_order() -> None:
    found = tally({"a": ["1"]}, [reply("a", 1, "1"), reply("a", 2, "9")], [])

    assert found.out_of_order == 1


def test_other_conversations_are_not_counted() -> None:
    found = tally({"a": ["1"]}, [reply("a", 1, "1"), reply("z", 5, "9")], [escalation("a"), escalation("z")])

    assert (found.replies, found.escalations) == (1, 1)
    assert found.is_clean
