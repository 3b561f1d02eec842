"""What a human agent is handed, and how its private values are opened: by those with the key, and on record."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from agents.testing import function_call
from cryptography.fernet import Fernet

from ops.desk.acts import claim
from ops.desk.desk import HeldByAnother, NotClaimed
from ops.desk.roles import NotAllowed
from ops.desk.tickets import InvalidReason, UnknownTicket, open_ticket, read_ticket
from runtime.sealing import Sealer
from schema.errors import Unsealable
from schema.messages.escalation import Escalation
from tests.integration.desk_scene import MACHINE, add_person, desk_beside
from tests.integration.worker_harness import Harness, MakeHarness
from worker.tools.escalation import ESCALATION_TOOLS

NUMBER = "H7KQ2M"
WRITTEN = f"Your crew lost my bag, booking {NUMBER}. I am furious! Call me on +1 415 555 0132."


async def hand_over(harness: Harness, text: str = WRITTEN) -> dict[str, Any]:
    """Let a customer's message lead to a ticket; give it as the stream has it."""
    await harness.accept("c1", text)
    await harness.drain("c1")
    [escalation] = await harness.escalations()
    return escalation


def handing_over() -> Any:
    """Think as an agent that calls a human, quoting the customer."""
    calls = 0

    async def think(text: str) -> Any:
        nonlocal calls
        calls += 1
        if calls > 1:
            return "A colleague takes over."
        request = {"category": "unsupported_request", "reason": "bag lost", "summary": text, "priority": "high"}
        return [function_call("escalate_to_human", request, call_id="call_1")]

    return think


@pytest.fixture
async def harness(worker: MakeHarness) -> Harness:
    return await worker(handing_over(), tools=[*ESCALATION_TOOLS], publish_seconds=0.001)


async def test_an_escalation_carries_what_a_human_needs(harness: Harness) -> None:
    escalation = Escalation.model_validate(await hand_over(harness))

    assert escalation.transcript is not None
    assert (escalation.transcript.conversation, escalation.transcript.last_position) == ("c1", 1)
    assert escalation.briefing is not None
    assert escalation.briefing.sentiment == "angry"
    assert escalation.briefing.tried == []
    assert escalation.briefing.confirmation_number == "[CONFIRMATION_NUMBER_1]"
    assert escalation.briefing.channel == "chat"


async def test_private_values_stay_closed_in_the_stream_and_in_a_ticket_that_is_only_read(harness: Harness) -> None:
    published = await hand_over(harness)
    sealer = harness.service.servers.sealer

    read = await read_ticket(harness.database, sealer, harness.tenant, published["ticket_id"])

    for shown in (str(published), read.model_dump_json()):
        assert NUMBER not in shown
        assert "4155550132" not in shown
        assert "[PHONE_1]" in shown


async def test_opening_a_ticket_shows_private_values_and_records_who_opened_it(harness: Harness) -> None:
    ticket_id = (await hand_over(harness))["ticket_id"]
    desk = desk_beside(harness)
    vera = await add_person(harness.database, harness.tenant, "Vera", "supervisor")

    opened = await open_ticket(desk, vera, harness.tenant, ticket_id, reason="the customer asks for a callback")

    assert NUMBER in opened.escalation.summary
    assert "+14155550132" in opened.escalation.summary
    assert opened.escalation.briefing is not None
    assert opened.escalation.briefing.confirmation_number == NUMBER
    assert opened.values == {"[CONFIRMATION_NUMBER_1]": NUMBER, "[PHONE_1]": "+14155550132"}
    assert NUMBER not in repr(opened)
    await harness.service.rescue.publish_leftovers()
    [record] = [event for event in await harness.events() if event["name"] == "ticket.opened"]
    assert record["attributes"] == {"ticket_id": ticket_id, "reader": "Vera", "role": "supervisor"}
    [act] = await harness.query("SELECT by_person, reason, ticket_id FROM desk_act WHERE act = 'open_ticket'")
    assert act == {"by_person": "Vera", "reason": "the customer asks for a callback", "ticket_id": ticket_id}


async def test_an_agent_opens_the_tickets_of_a_conversation_that_they_have_and_no_other(harness: Harness) -> None:
    ticket_id = (await hand_over(harness))["ticket_id"]
    desk = desk_beside(harness)
    dana, sam = [await add_person(harness.database, harness.tenant, name) for name in ("Dana", "Sam")]
    vic = await add_person(harness.database, harness.tenant, "Vic", "viewer")
    with pytest.raises(NotClaimed):
        await open_ticket(desk, dana, harness.tenant, ticket_id, reason="a look")
    await claim(desk, dana, harness.key("c1"))

    opened = await open_ticket(desk, dana, harness.tenant, ticket_id, reason="to call back")
    with pytest.raises(HeldByAnother):
        await open_ticket(desk, sam, harness.tenant, ticket_id, reason="curious")
    with pytest.raises(NotAllowed):
        await open_ticket(desk, vic, harness.tenant, ticket_id, reason="curious")

    assert NUMBER in opened.escalation.summary


async def test_a_conversation_goes_on_in_order_after_a_ticket_was_opened(harness: Harness) -> None:
    ticket_id = (await hand_over(harness))["ticket_id"]
    await open_ticket(desk_beside(harness), MACHINE, harness.tenant, ticket_id, reason="a look")

    await harness.accept("c1", "and another thing")
    await harness.drain("c1")

    assert [reply["sequence"] for reply in await harness.replies()] == [1, 2]


async def test_without_the_key_nothing_opens_and_nothing_is_recorded(harness: Harness) -> None:
    ticket_id = (await hand_over(harness))["ticket_id"]
    stranger = replace(desk_beside(harness), sealer=Sealer([Fernet.generate_key().decode()]))

    with pytest.raises(Unsealable):
        await open_ticket(stranger, MACHINE, harness.tenant, ticket_id, reason="a look")

    rows = await harness.query("SELECT count(*) AS n FROM outbox WHERE kind = 'event'")
    assert rows[0]["n"] == 1  # conversation.escalated


async def test_another_tenants_ticket_does_not_exist(harness: Harness, other_tenant: str) -> None:
    ticket_id = (await hand_over(harness))["ticket_id"]

    with pytest.raises(UnknownTicket):
        await open_ticket(desk_beside(harness), MACHINE, other_tenant, ticket_id, reason="a look")


async def test_nobody_opens_a_ticket_without_a_reason(harness: Harness) -> None:
    with pytest.raises(InvalidReason):
        await open_ticket(desk_beside(harness), MACHINE, harness.tenant, "T-any", reason=" ")
