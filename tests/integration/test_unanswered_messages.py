from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ops.desk.received import ends_in_silence
from schema.messages.event import Event
from schema.messages.unanswered import PERSON_REASONS, SILENT_REASONS, UNANSWERED_KEY

if TYPE_CHECKING:
    from tests.integration.worker_harness import MakeHarness

ASKED = "Please move me to a window seat."


@pytest.mark.parametrize("reason", SILENT_REASONS)
async def test_what_a_gateway_wants_silence_on_is_recorded_and_answered_by_nobody(
    worker: MakeHarness, reason: str
) -> None:
    harness = await worker()

    await harness.accept("c", ASKED, channel="email", metadata={UNANSWERED_KEY: reason})
    await harness.drain("c")

    assert (await harness.replies(), await harness.escalations(), harness.model.asked) == ([], [], [])
    assert [row["outcome"] for row in await harness.query("SELECT outcome FROM turn")] == ["ignored"]
    (event,) = map(Event.model_validate, await harness.events())
    assert (event.name, event.attributes["reason"]) == ("message.refused", reason)
    assert ends_in_silence(event)


@pytest.mark.parametrize("reason", [*PERSON_REASONS, "of_a_newer_gateway"])
async def test_what_a_person_is_to_know_gets_a_ticket_and_no_answer(worker: MakeHarness, reason: str) -> None:
    harness = await worker()

    await harness.accept("c", ASKED, channel="email", metadata={UNANSWERED_KEY: reason})
    await harness.drain("c")

    (ticket,) = await harness.escalations()
    assert ticket["category"] == "unsupported_request"
    assert await harness.replies() == []
    assert harness.model.asked == []
    assert [row["outcome"] for row in await harness.query("SELECT outcome FROM turn")] == ["forwarded"]
    assert await harness.waiting("c") == 0


async def test_what_is_not_to_be_answered_is_in_no_burst_with_what_is(worker: MakeHarness) -> None:
    harness = await worker(burst_messages_max=5)

    await harness.accept("c", "one")
    await harness.accept("c", "a machine's", metadata={UNANSWERED_KEY: "bulk_mail"})
    await harness.accept("c", "two")
    await harness.drain("c")

    assert [reply["text"] for reply in await harness.replies()] == ["you said: one", "you said: two"]
