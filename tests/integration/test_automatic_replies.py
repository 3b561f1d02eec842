"""An automatic reply is recorded and answered by nobody, and the conversation goes on as if it had not come."""

from __future__ import annotations

from ops.desk.received import ends_in_silence
from schema.messages.event import Event
from tests.integration.worker_harness import MakeHarness

ABSENT = "Automatic reply: Your booking\n\nI am out of the office until Monday."


async def test_an_automatic_reply_gets_no_answer_and_no_ticket(worker: MakeHarness) -> None:
    harness = await worker()

    await harness.accept("c", ABSENT)
    await harness.drain("c")

    assert await harness.replies() == []
    assert await harness.escalations() == []
    assert harness.model.asked == []
    assert [row["outcome"] for row in await harness.query("SELECT outcome FROM turn")] == ["ignored"]
    (event,) = map(Event.model_validate, await harness.events())
    assert (event.name, event.attributes["reason"]) == ("message.refused", "automatic_reply")
    assert ends_in_silence(event)
    assert await harness.waiting("c") == 0


async def test_what_a_person_writes_after_it_is_answered_in_order(worker: MakeHarness) -> None:
    harness = await worker()

    for text in ("one", ABSENT, "two"):
        await harness.accept("c", text)
        await harness.drain("c")

    assert [reply["text"] for reply in await harness.replies()] == ["you said: one", "you said: two"]
    assert [reply["sequence"] for reply in await harness.replies()] == [1, 2]


async def test_a_message_within_a_burst_with_one_is_answered(worker: MakeHarness) -> None:
    harness = await worker()

    await harness.accept("c", ABSENT)
    await harness.accept("c", "but please answer this")
    await harness.drain("c")

    assert len(await harness.replies()) == 1
