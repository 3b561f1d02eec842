"""A returning customer need not repeat what earlier conversations settled, as far as the identity rules permit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ops.privacy.erasing import Eraser
from ops.tenants.settings import change_settings
from tests.integration.airline_worker import make_airline_worker
from tests.integration.conftest import add_tenant
from tests.integration.three_bookings import add_three_bookings
from tests.integration.worker_harness import Harness

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from runtime.sealing import Sealer
    from schema.settings import Settings

FRIEND = "friend-of-ada@example.com"
"""An address that no booking has on file: only what was proved opens one."""
VOUCHED = {"fte.sender_verified": "true"}
PROOF = "I'm Ada Okafor, my confirmation number is QK7P2M. Could I have a window seat?"
WISH = "Hello, please add two checked bags to my booking."


@pytest.fixture
async def harness(settings: Settings, sealer: Sealer) -> AsyncIterator[Harness]:
    tenant = add_tenant(settings)
    add_three_bookings(settings, tenant)
    made = await make_airline_worker(settings, sealer, tenant)
    yield made
    await made.close()


async def say(harness: Harness, conversation: str, text: str, *, vouched: bool = True, sender: str = FRIEND) -> str:
    metadata = VOUCHED if vouched else {}
    await harness.accept(conversation, text, channel="email", sender=sender, metadata=metadata)
    await harness.drain(conversation)
    rows: list[dict[str, Any]] = await harness.entries(f"fte:out:{{{harness.tenant}}}:replies:email")
    return str(rows[-1]["body"]["text"])


async def context_of(harness: Harness, conversation: str) -> dict[str, Any]:
    rows = await harness.query("SELECT context FROM conversation WHERE conversation_id = %s", conversation)
    found: dict[str, Any] = rows[0]["context"]
    return found


def asks_for_number(reply: str) -> bool:
    return "confirmation number" in reply


async def test_a_vouched_for_sender_need_not_give_the_confirmation_number_again(harness: Harness) -> None:
    await say(harness, "first", PROOF)

    reply = await say(harness, "second", WISH)

    context = await context_of(harness, "second")
    assert not asks_for_number(reply)
    assert "checked bag" in reply
    assert (context["passenger_name"], context["seat_preference"], context["verified"]) == (
        "Ada Okafor",
        "window",
        True,
    )
    assert sorted(context["facts"]) == ["booking", "seat_preference"]
    assert all("20" in text for text in context["facts"].values())
    done = await say(harness, "second", "yes please")
    assert "Done" in done


async def test_an_offer_taken_over_from_nowhere_is_none_and_a_yes_alone_changes_nothing(harness: Harness) -> None:
    await say(harness, "first", PROOF)

    await say(harness, "second", "yes, go ahead")

    assert (await context_of(harness, "second"))["quote"] is None
    assert await harness.query("SELECT * FROM reservation_change") == []


@pytest.mark.parametrize(("then", "now"), [(False, True), (True, False), (False, False)])
async def test_whoever_is_not_vouched_for_then_and_now_begins_from_nothing(
    harness: Harness, *, then: bool, now: bool
) -> None:
    await say(harness, "first", PROOF, vouched=then)

    reply = await say(harness, "second", WISH, vouched=now)

    context = await context_of(harness, "second")
    assert (context["verified"], context["passenger_name"], context["facts"]) == (False, None, {})
    assert asks_for_number(reply)


async def test_one_message_that_was_not_vouched_for_takes_the_trust_from_a_conversation(harness: Harness) -> None:
    await say(harness, "first", "Hello, what may a suitcase weigh?")
    await say(harness, "first", PROOF, vouched=False)

    await say(harness, "second", WISH)

    assert (await context_of(harness, "second"))["verified"] is False


async def test_nothing_crosses_to_another_person_or_tenant(
    harness: Harness, settings: Settings, sealer: Sealer
) -> None:
    await say(harness, "first", PROOF)
    other_tenant = add_tenant(settings)
    add_three_bookings(settings, other_tenant)
    other = await make_airline_worker(settings, sealer, other_tenant)

    replies = [
        await say(harness, "second", WISH, sender="somebody-else@example.com"),
        await say(other, "second", WISH),
    ]

    assert all(map(asks_for_number, replies))
    assert [(await context_of(each, "second"))["facts"] for each in (harness, other)] == [{}, {}]
    await other.close()


async def test_a_tenant_turns_it_off(harness: Harness) -> None:
    await change_settings(harness.database, harness.tenant, {"remembers_customers": False}, by="ann")
    await say(harness, "first", PROOF)

    reply = await say(harness, "second", WISH)

    assert asks_for_number(reply)
    assert (await context_of(harness, "second"))["facts"] == {}


async def test_what_lies_back_too_long_may_be_somebody_elses(harness: Harness) -> None:
    await say(harness, "first", PROOF)
    await harness.query("UPDATE conversation SET updated_at = updated_at - interval '31 days' RETURNING 1")

    assert asks_for_number(await say(harness, "second", WISH))


async def test_an_open_ticket_is_known_and_told_to_the_person_who_takes_over(harness: Harness) -> None:
    await say(harness, "first", "I want to speak to a manager, now.")
    [ticket] = await harness.query("SELECT ticket_id FROM ticket")

    await say(harness, "second", "I want to speak to a manager, now.")

    [first, second] = await harness.escalations()
    assert first["briefing"]["facts"] == {}
    assert ticket["ticket_id"] in second["briefing"]["facts"]["earlier_open_tickets"]


async def test_erasing_a_person_takes_what_is_remembered_along(harness: Harness, settings: Settings) -> None:
    await say(harness, "first", PROOF)
    await say(harness, "second", WISH)
    servers = harness.service.servers

    await Eraser(harness.database, servers.redis, settings, harness.tenant, by="ann").erase_person(
        servers.senders.key_of(harness.tenant, "email", FRIEND)
    )
    reply = await say(harness, "third", WISH)

    assert asks_for_number(reply)
    assert (await context_of(harness, "third"))["facts"] == {}
