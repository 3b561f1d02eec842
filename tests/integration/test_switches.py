"""What operators switch off is off for customers in their next turn, and on again when its time is over."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from ops.audit.reading import ActFilter, list_acts
from ops.desk.switches import NothingOff, OtherTenant, turn_off, turn_on
from runtime.database import EVERY_TENANT
from runtime.switches import read_switches
from schema.errors import UnknownTenant
from schema.keys import replies_stream
from schema.switches import ALL_TURNS, parse_target
from tests.integration.airline_worker import make_airline_worker
from tests.integration.conftest import add_tenant
from tests.integration.model_endpoint import say as spoken
from tests.integration.model_endpoint import serving
from tests.integration.provider_harness import answered, asking, model_calls
from tests.integration.three_bookings import add_three_bookings
from tests.integration.worker_harness import Harness, MakeHarness
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from runtime.database import Database
    from runtime.sealing import Sealer
    from schema.channels import Channel
    from schema.settings import Settings

ASKS_SEAT = "I'm Ada Okafor, my confirmation number is QK7P2M. Could I have a window seat?"
DANGER = "there is a bomb on LF118"
SEATS = "SELECT count(*) AS changes FROM reservation_change"


@pytest.fixture
async def harnesses(settings: Settings, sealer: Sealer) -> AsyncIterator[list[Harness]]:
    """Make workers of two tenants, with the airline's agents and the local model."""
    made = []
    for _ in range(2):
        tenant = add_tenant(settings)
        add_three_bookings(settings, tenant)
        made.append(await make_airline_worker(settings, sealer, tenant))
    yield made
    for harness in made:
        await harness.close()


@pytest.fixture(autouse=True)
async def all_on_afterwards(database: Database) -> AsyncIterator[None]:
    """Leave nothing off for the tests that follow."""
    yield
    async with database.transaction(EVERY_TENANT) as transaction:
        await transaction.connection.execute("DELETE FROM switch")


async def off(harness: Harness, named: str, *, everywhere: bool = False, seconds: float | None = None) -> None:
    """Turn something off, and let the worker read it as its loop does."""
    tenant = None if everywhere or named.startswith("tenant:") else harness.tenant
    target = parse_target(named)
    await turn_off(harness.database, target, tenant=tenant, by="ada", reason="it answers nonsense", seconds=seconds)
    await harness.service.brain.switches.refresh()


async def on(harness: Harness, named: str, *, everywhere: bool = False) -> None:
    tenant = None if everywhere or named.startswith("tenant:") else harness.tenant
    await turn_on(harness.database, parse_target(named), tenant=tenant, by="ada")
    await harness.service.brain.switches.refresh()


async def say(harness: Harness, text: str, conversation: str = "c-1", *, channel: Channel = "chat") -> str | None:
    """Say something, and return what is answered; None: nothing."""
    stream = replies_stream(harness.tenant, channel)
    before = len(await harness.entries(stream))
    await harness.accept(conversation, text, channel=channel)
    await harness.drain(conversation)
    assert await harness.waiting(conversation) == 0
    replies = (await harness.entries(stream))[before:]
    assert len(replies) <= 1
    return str(replies[0]["body"]["text"]) if replies else None


def told(acts: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    return [tuple(act[name] for name in ("operation", "object", "actor", "reason")) for act in acts]


async def changes(harness: Harness) -> int:
    return int((await harness.query(SEATS))[0]["changes"])


async def test_a_tool_that_is_off_changes_nothing_and_a_person_takes_over(harnesses: list[Harness]) -> None:
    own, other = harnesses
    offers = [await say(harness, ASKS_SEAT) for harness in harnesses]
    await off(own, "tool:confirm_quote")
    await other.service.brain.switches.refresh()

    told, done = [await say(harness, "Yes, please") for harness in harnesses]
    tickets = await own.escalations()

    assert all("Shall I" in str(offer) for offer in offers)
    assert (await changes(own), await changes(other)) == (0, 1)
    assert tickets[0]["ticket_id"] in str(told)
    assert "Done" in str(done) or "moved" in str(done) or "now" in str(done)
    assert await other.escalations() == []


async def test_a_tool_is_offered_again_once_it_is_on(harnesses: list[Harness]) -> None:
    own, _ = harnesses
    await off(own, "tool:quote_seat_change", everywhere=True)
    await say(own, ASKS_SEAT, "while-off")
    await on(own, "tool:quote_seat_change", everywhere=True)

    offer = await say(own, ASKS_SEAT, "afterwards")

    assert "Shall I" in str(offer)
    assert [ticket["conversation"] for ticket in await own.escalations()] == ["while-off"]


async def test_what_would_go_to_an_agent_that_is_off_goes_to_a_person(harnesses: list[Harness]) -> None:
    own, other = harnesses
    await off(own, "agent:booking")
    await other.service.brain.switches.refresh()

    told, elsewhere = [await say(harness, ASKS_SEAT) for harness in harnesses]
    again = await say(own, "And the aisle?")
    greeted = await say(own, "Hello!", "c-2")

    [ticket] = await own.escalations()
    assert ticket["ticket_id"] in str(told)
    assert ticket["ticket_id"] in str(again)
    assert "Shall I" in str(elsewhere)
    assert greeted is not None
    assert "colleague" not in greeted


async def test_a_tenant_that_is_off_gets_one_reply_and_a_ticket_for_each_conversation(
    harnesses: list[Harness],
) -> None:
    own, other = harnesses
    await off(own, f"tenant:{own.tenant}")
    await other.service.brain.switches.refresh()

    first = await say(own, ASKS_SEAT)
    second = await say(own, "Are you there?")
    another = await say(own, "Hello!", "c-2")
    elsewhere = await say(other, ASKS_SEAT)
    await on(own, f"tenant:{own.tenant}")
    afterwards = await say(own, "Hello!", "c-3")

    tickets = {ticket["conversation"]: ticket for ticket in await own.escalations()}
    assert set(tickets) == {"c-1", "c-2"}
    assert tickets["c-1"]["ticket_id"] in str(first)
    assert second is None
    assert tickets["c-2"]["ticket_id"] in str(another)
    assert "Shall I" in str(elsewhere)
    assert "ticket" not in str(afterwards)
    asked = await own.query("SELECT jsonb_array_length(model_calls) AS calls FROM turn WHERE conversation_id <> 'c-3'")
    assert [row["calls"] for row in asked] == [0, 0, 0]


async def test_a_conversation_whose_ticket_is_closed_gets_a_new_one_while_its_tenant_is_still_off(
    harnesses: list[Harness],
) -> None:
    own, _ = harnesses
    await off(own, f"tenant:{own.tenant}")
    await say(own, "Hello?")
    await own.query("UPDATE conversation SET context = context - 'ticket_id' RETURNING 1")  # as resolving does

    reply = await say(own, "It is not solved")

    assert len(await own.escalations()) == 2
    assert (await own.escalations())[-1]["ticket_id"] in str(reply)


async def test_a_customer_in_danger_is_told_whom_to_call_whatever_is_off(harnesses: list[Harness]) -> None:
    own, _ = harnesses
    await off(own, f"tenant:{own.tenant}")
    await say(own, "Hello?")

    told = await say(own, DANGER)

    assert "Do not wait for an answer here" in str(told)
    assert [ticket["priority"] for ticket in await own.escalations()] == ["normal", "urgent"]


async def test_a_channel_that_is_off_leaves_the_others_as_they_are(harnesses: list[Harness]) -> None:
    own, _ = harnesses
    await off(own, "channel:sms")

    text_message = await say(own, "Hello!", "by-sms", channel="sms")
    chat = await say(own, "Hello!", "by-chat")

    [ticket] = await own.escalations()
    assert ticket["conversation"] == "by-sms"
    assert ticket["ticket_id"] in str(text_message)
    assert "colleague" not in str(chat)


@pytest.mark.parametrize("named", ["provider:openai", "provider:openai:gpt-x"])
async def test_a_provider_that_is_off_is_asked_nothing_and_the_local_model_answers(
    worker: MakeHarness, named: str
) -> None:
    async with serving(then=lambda: spoken("Above.")) as endpoint:
        harness = await asking(endpoint, worker, abuse_asks_model=False)
        await off(harness, named, everywhere=True)
        await harness.accept("c", "Where is the moon?")
        await answered(harness, "c")
        asked_while_off = len(endpoint.asked)
        is_open = list(harness.service.brain.provider.circuits().values())  # type: ignore[attr-defined]
        await on(harness, named, everywhere=True)
        await harness.accept("c", "And the sun?")
        await answered(harness, "c", 2)

        assert asked_while_off == 0
        assert is_open == [1.0]
        assert [call["degraded"] for call in await model_calls(harness)] == [True, False]
        assert len(endpoint.asked) == 1


async def test_another_model_of_the_provider_is_asked_while_one_is_off(worker: MakeHarness) -> None:
    async with serving(then=lambda: spoken("Above.")) as endpoint:
        harness = await asking(endpoint, worker, abuse_asks_model=False)
        await off(harness, "provider:openai:gpt-y")
        await harness.accept("c", "Where is the moon?")
        await answered(harness, "c")

        assert [call["degraded"] for call in await model_calls(harness)] == [False]


async def test_while_all_is_paused_no_worker_begins_a_turn_and_nothing_is_lost(
    database: Database, harnesses: list[Harness]
) -> None:
    await turn_off(database, ALL_TURNS, tenant=None, by="ada", reason="maintenance")
    for harness in harnesses:
        await harness.service.brain.switches.refresh()
        await harness.accept("c-1", "Hello!")
        await harness.drain("c-1")
    begun = [await harness.replies() for harness in harnesses]
    free = [harness.service.drainer.free_slots for harness in harnesses]
    await turn_on(database, ALL_TURNS, tenant=None, by="ada")
    for harness in harnesses:
        await harness.service.brain.switches.refresh()
        await harness.drain("c-1")

    assert begun == [[], []]
    assert free == [0, 0]
    assert [len(await harness.replies()) for harness in harnesses] == [1, 1]


async def test_a_paused_tenant_waits_without_an_attempt_while_others_are_answered(harnesses: list[Harness]) -> None:
    own, _ = harnesses
    await turn_off(own.database, ALL_TURNS, tenant=own.tenant, by="ada", reason="maintenance")
    for harness in harnesses:
        await harness.service.brain.switches.refresh()
        await harness.accept("c-1", "Hello!")
        await harness.drain("c-1")
    replies = [len(await harness.replies()) for harness in harnesses]
    acquired = await own.mailbox.acquire(own.key("c-1"))
    await turn_on(own.database, ALL_TURNS, tenant=own.tenant, by="ada")

    assert replies == [0, 1]
    assert acquired == "parked"
    assert await own.waiting("c-1") == 1
    assert own.service.drainer.free_slots > 0


async def test_a_conversation_under_way_is_not_gone_on_with_once_its_tenant_is_paused(worker: MakeHarness) -> None:
    made: list[Harness] = []

    async def pause(text: str) -> str:
        await turn_off(made[0].database, ALL_TURNS, tenant=made[0].tenant, by="ada", reason="maintenance")
        await made[0].service.brain.switches.refresh()
        return f"you said {text}"

    made.append(await worker(pause))
    for text in ("one", "two"):
        await made[0].accept("c-1", text)
    await made[0].drain("c-1")

    assert made[0].model.asked == ["one"]
    assert await made[0].waiting("c-1") == 1


async def test_who_waits_for_a_slot_when_all_is_paused_begins_no_turn(worker: MakeHarness) -> None:
    made: list[Harness] = []

    async def pause(text: str) -> str:
        waiting = asyncio.create_task(made[0].drain("c-2"))
        await eventually(is_waiting)
        await turn_off(made[0].database, ALL_TURNS, tenant=None, by="ada", reason="maintenance")
        await made[0].service.brain.switches.refresh()
        drains.append(waiting)
        return f"you said {text}"

    async def is_waiting() -> bool:
        return made[0].service.drainer.slots.waiting == 1

    drains: list[asyncio.Task[None]] = []
    made.append(await worker(pause, concurrency=1))
    for conversation in ("c-1", "c-2"):
        await made[0].accept(conversation, conversation)
    await made[0].drain("c-1")
    await drains[0]

    assert made[0].model.asked == ["c-1"]
    assert await made[0].waiting("c-2") == 1


async def test_a_switch_is_on_by_itself_when_its_time_is_over(harnesses: list[Harness]) -> None:
    own, _ = harnesses
    switches = own.service.brain.switches
    await off(own, "channel:sms", seconds=0.5)
    was_off = switches.find("channel", own.tenant, "sms")

    async def is_on() -> bool:
        await switches.refresh()
        return switches.find("channel", own.tenant, "sms") is None

    await eventually(is_on)

    assert was_off is not None
    assert was_off.off_until is not None
    assert was_off.off_until - was_off.off_at == timedelta(seconds=0.5)
    assert await read_switches(own.database) == []
    with pytest.raises(NothingOff):
        await on(own, "channel:sms")


async def test_a_running_worker_learns_of_a_switch_by_itself(harnesses: list[Harness], database: Database) -> None:
    own, _ = harnesses
    own.service.start()
    began = datetime.now(UTC)
    await turn_off(database, parse_target("agent:faq"), tenant=None, by="ada", reason="it answers nonsense")

    async def learned() -> bool:
        return own.service.brain.switches.find("agent", own.tenant, "faq") is not None

    await eventually(learned)

    assert datetime.now(UTC) - began < timedelta(seconds=5)


async def test_who_extends_a_switch_is_noted_and_customers_are_not_told_again(harnesses: list[Harness]) -> None:
    own, _ = harnesses
    await off(own, f"tenant:{own.tenant}", seconds=60)
    first = await say(own, "Hello?")
    await off(own, f"tenant:{own.tenant}", seconds=7_200)

    second = await say(own, "Hello?")

    [switch] = await read_switches(own.database)
    assert first is not None
    assert second is None
    assert switch.off_until is not None
    assert switch.off_until - datetime.now(UTC) > timedelta(minutes=100)


async def test_each_act_is_on_record_in_the_chain_of_its_tenant_or_the_operators(harnesses: list[Harness]) -> None:
    own, _ = harnesses
    began = datetime.now(UTC)
    await off(own, "tool:confirm_quote")
    await on(own, "tool:confirm_quote")
    await off(own, "channel:sms", everywhere=True)

    since = ActFilter(since=began)
    of_tenant = await list_acts(own.database, own.tenant, since, 10)
    of_operators = await list_acts(own.database, EVERY_TENANT, since, 10)

    assert told(of_tenant) == [
        ("switch.turned_on", "tool:confirm_quote", "ada", None),
        ("switch.turned_off", "tool:confirm_quote", "ada", "it answers nonsense"),
    ]
    assert told(of_operators) == [("switch.turned_off", "channel:sms", "ada", "it answers nonsense")]


async def test_what_cannot_be_switched_is_refused_and_not_on_record(database: Database, tenant: str) -> None:
    began = datetime.now(UTC)

    with pytest.raises(UnknownTenant):
        await turn_off(database, parse_target("tenant:nobody"), tenant=None, by="ada", reason="why not")
    with pytest.raises(OtherTenant):
        await turn_off(database, parse_target("tenant:acme"), tenant=tenant, by="ada", reason="why not")
    with pytest.raises(NothingOff):
        await turn_on(database, parse_target("agent:faq"), tenant=tenant, by="ada")

    assert await read_switches(database) == []
    assert await list_acts(database, EVERY_TENANT, ActFilter(since=began), 10) == []
