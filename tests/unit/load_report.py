"""A load test's report for tests, made of a tally as a run makes it."""

from __future__ import annotations

from datetime import UTC, datetime

from ops.lab.load.measured import MeasuredLoad, measure
from ops.lab.load.options import LoadOptions
from ops.lab.load.profile import Phase, Profile
from ops.verify.tally import ModelWork, Sent, Tally
from schema.ids import ConversationKey, reply_id_of
from schema.messages.reply import Reply


def report_of(
    *, name: str = "two phases", phase: str = "first", lag_seconds: float = 0.001, lost: int = 0, latency: float = 0.5
) -> MeasuredLoad:
    """Return the report of ten messages, one a second: five in each of two phases, the last `lost` unanswered."""
    phases = (Phase(name=phase, seconds=5, rate=1), Phase(name="second", seconds=5, rate=1))
    options = LoadOptions(profile=Profile(name=name, phases=phases, conversations=10, turns=1))
    tally = Tally()
    for number in range(10):
        sent = Sent(f"c{number}", 0, 100.0 + number, phase=number // 5, lag_seconds=lag_seconds)
        tally.sent[f"c{number}-0"] = sent
        tally.take_receipt(f"c{number}-0", accepted_at=sent.due_at + 0.01, seconds=0.01)
        if number < 10 - lost:
            tally.take_reply(
                reply(1, f"c{number}-0", conversation=f"c{number}"), sent.due_at + latency * (1 + number // 5)
            )
    return measure(tally, ModelWork(), {}, options, [0.0])


def reply(sequence: int, *answers: str, conversation: str = "a") -> Reply:
    """Return a reply of a conversation that answers the messages of these ids."""
    return Reply(
        reply_id=reply_id_of(ConversationKey("default", conversation), sequence),
        tenant="default",
        conversation=conversation,
        sequence=sequence,
        in_reply_to=list(answers),
        channel="chat",
        recipient="ada",
        text="yes",
        agent="FAQ Agent",
        issue_type=None,
        trace_id="trace_1",
        created_at=datetime(2026, 1, 31, tzinfo=UTC),
    )
