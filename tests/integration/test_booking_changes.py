"""From a customer's wish over the quote and the yes to the row in PostgreSQL, through real turns of the real agents."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from agents import Model, ModelResponse, Usage
from agents.testing import assistant_message, function_call

from schema.messages.inbound import SENDER_VERIFIED_KEY
from tests.integration.desk_scene import hand_back, take_over
from tests.integration.three_bookings import DAY, add_three_bookings
from tests.integration.worker_harness import Harness, OneModel, make_harness
from worker.agents.pool import GraphPool
from worker.domains.airline.agents.graph import build_graph
from worker.domains.airline.domain import AIRLINE
from worker.domains.airline.store.airline import PostgresAirline
from worker.pipeline.act import Brain
from worker.store.guesses import PostgresGuesses
from worker.store.knowledge import PostgresKnowledge

if TYPE_CHECKING:
    from runtime.database import Database
    from runtime.sealing import Sealer
    from runtime.sender_keys import SenderKeys
    from schema.settings import Settings

LATEST = "the newest quote"
"""Stands in a script for the id of the quote that a tool gave last."""
LOOK_UP = ("look_up_reservation", {"confirmation_number": "[CONFIRMATION_NUMBER_1]"})
CONFIRM = ("confirm_quote", {"quote_id": LATEST})
TO_BOOKING = "transfer_to_booking_agent"

Step = tuple[str, Mapping[str, Any]]


@dataclass
class Clerk(Model):
    """Work as the agents do, by script: on a message that begins with a key, its tools; then the last one's answer."""

    script: dict[str, Sequence[Step]] = field(default_factory=dict)
    before_reply: Callable[[str, dict[str, Any]], Any] | None = None

    async def get_response(self, *_: Any, **kwargs: Any) -> ModelResponse:
        items = kwargs["input"]
        items = [{"role": "user", "content": items}] if isinstance(items, str) else items
        at = max(index for index, item in enumerate(items) if item.get("role") == "user")
        text = items[at]["content"]
        outputs = [_read(item["output"]) for item in items if item.get("type") == "function_call_output"]
        made = [item for item in items[at:] if item.get("type") == "function_call" and item["name"] != TO_BOOKING]
        steps = next((steps for key, steps in self.script.items() if text.startswith(key)), ())
        if steps and TO_BOOKING in {handoff.tool_name for handoff in kwargs["handoffs"]}:
            return _respond(_call(TO_BOOKING, {}))
        if len(made) < len(steps):
            name, arguments = steps[len(made)]
            return _respond(_call(name, _fill(arguments, outputs)))
        last = outputs[-1] if made else {}
        if self.before_reply is not None:
            await self.before_reply(text, last)
        offer = f"{last['quote']['summary']}. Shall I go ahead?" if "quote" in last else "Hello."
        told = last.get("message") or last.get("summary") or offer
        return _respond(assistant_message(told))

    def stream_response(self, *_: Any, **__: Any) -> Any:
        raise NotImplementedError


def _respond(item: Any) -> ModelResponse:
    return ModelResponse(output=[item], usage=Usage(requests=1, input_tokens=3, output_tokens=2), response_id=None)


def _call(name: str, arguments: Mapping[str, Any]) -> Any:
    return function_call(name, dict(arguments), call_id=f"call_{uuid.uuid4().hex}")


def _fill(arguments: Mapping[str, Any], outputs: list[dict[str, Any]]) -> dict[str, Any]:
    quotes = [output["quote"]["quote_id"] for output in outputs if "quote" in output]
    return {name: quotes[-1] if value == LATEST else value for name, value in arguments.items()}


def _read(written: str) -> dict[str, Any]:
    try:
        read = json.loads(written)
    except json.JSONDecodeError:
        return {}
    return read if isinstance(read, dict) else {}


def look_up(surname: str) -> Step:
    return (LOOK_UP[0], {**LOOK_UP[1], "surname": surname})


@pytest.fixture
async def clerk() -> Clerk:
    return Clerk()


@pytest.fixture
async def desk(settings: Settings, sealer: Sealer, tenant: str, clerk: Clerk) -> AsyncIterator[Harness]:
    """Run a worker with the airline's own agents and tools, on a tenant whose flights and bookings are known."""
    add_three_bookings(settings, tenant)
    quick = settings.model_copy(update={"backoff_seconds": 0.01, "route_locally": False})

    def make_brain(database: Database, senders: SenderKeys) -> Brain:
        return Brain(
            graphs=GraphPool(build_graph),
            provider=OneModel(clerk),
            guardrails=[],
            backend=PostgresAirline(database),
            knowledge=PostgresKnowledge(database),
            guesses=PostgresGuesses(database, senders, settings),
            settings=quick,
            domain=AIRLINE,
        )

    harness = await make_harness(quick, sealer, tenant, make_brain=make_brain)
    yield harness
    await harness.close()


async def say(desk: Harness, conversation: str, text: str, **metadata: str) -> None:
    await desk.accept(conversation, text, metadata=metadata)
    await desk.drain(conversation)


async def replies_to(desk: Harness, conversation: str) -> list[str]:
    return [reply["text"] for reply in await desk.replies() if reply["conversation"] == conversation]


async def changes(desk: Harness) -> list[dict[str, Any]]:
    return await desk.query("SELECT kind, amount_usd, reservation_id, version, details FROM reservation_change")


FLIGHT = [{"flight_number": "LF120", "date": DAY.isoformat()}]
KINDS: list[tuple[str, str, Step, str, tuple[str, int], str]] = [
    (
        "QK7P2M", "Okafor", ("quote_seat_change", {"preference": "window"}), "yes please", ("move_to_seat", 0),
        "SELECT seat_number = '6A' AS holds FROM seat WHERE reservation_id = 1",
    ),
    (
        "QK7P2M", "Okafor", ("quote_flight_change", {"flights": FLIGHT}), "yes, LF120", ("change_flights", 40),
        "SELECT flight_number = 'LF120' AND price_usd = 240 AS holds FROM reservation_segment WHERE reservation_id = 1",
    ),
    (
        "QK7P2M", "Okafor", ("quote_cancellation", {"reason": "change_of_plan"}), "cancel it please",
        ("cancel_reservation", -200), "SELECT status = 'cancelled' AS holds FROM reservation WHERE reservation_id = 1",
    ),
    (
        "RT5W8Z", "Ito", ("quote_bags", {"additional_bags": 2}), "ok, 2 bags", ("add_bags", 50),
        "SELECT checked_bags = 2 AS holds FROM reservation WHERE reservation_id = 2",
    ),
    (
        "QK7P2M", "Okafor",
        ("quote_passenger_correction", {"passenger_name": "Ada Okafor", "given_name": "Ada", "surname": "Okafoor"}),
        "yes", ("correct_passenger", 0),
        "SELECT surname = 'Okafoor' AS holds FROM reservation_passenger WHERE reservation_id = 1",
    ),
    (
        "QK7P2M", "Okafor", ("quote_cabin_change", {"cabin": "business"}), "yes, $300 is fine", ("change_cabin", 300),
        "SELECT cabin = 'business' AS holds FROM reservation WHERE reservation_id = 1",
    ),
    (
        "C4NX7Q", "Marsh", ("quote_compensation", {"complaint": "cancelled_flight"}), "yes",
        ("issue_certificate", -100),
        "SELECT balance_usd = 100 AS holds FROM payment_method WHERE customer_id = 3 AND kind = 'certificate'",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("number", "surname", "quote", "yes", "change", "check"), KINDS, ids=[k[4][0] for k in KINDS])
async def test_a_change_is_quoted_confirmed_and_stands_in_the_database(
    desk: Harness, clerk: Clerk, number: str, surname: str, quote: Step, yes: str, change: tuple[str, int], check: str
) -> None:
    clerk.script = {"Compensation or": [look_up(surname), quote], yes: [CONFIRM]}

    await say(desk, "c", f"Compensation or another change, my confirmation number is {number}, {surname}")
    after_quote = await changes(desk)
    await say(desk, "c", yes)

    offer, done = await replies_to(desk, "c")
    assert offer.endswith("Shall I go ahead?")
    assert after_quote == []
    (row,) = await changes(desk)
    assert ((row["kind"], row["amount_usd"]), row["version"]) == (change, 1)
    assert not {surname, "4242"} & set(str(row["details"]).split())
    assert [row["holds"] for row in await desk.query(check)] == [True]
    assert done.endswith(".")


async def test_a_quote_confirmed_in_the_turn_that_made_it_changes_nothing(desk: Harness, clerk: Clerk) -> None:
    clerk.script = {"Yes, cancel": [look_up("Okafor"), ("quote_cancellation", {"reason": "other"}), CONFIRM]}

    await say(desk, "c", "Yes, cancel it at once, yes: number QK7P2M, Okafor")

    assert await changes(desk) == []
    (reply,) = await replies_to(desk, "c")
    assert reply.startswith("This change is made once you have said yes to it: Cancel the whole booking")


async def test_a_yes_is_taken_for_what_the_last_reply_offered_whatever_the_model_calls(
    desk: Harness, clerk: Clerk
) -> None:
    clerk.script = {
        "Cabin": [look_up("Ito"), ("quote_cabin_change", {"cabin": "business"})],
        "Great": [CONFIRM],
        "Ok": [CONFIRM],
        "yes": [CONFIRM],
    }
    await say(desk, "c", "Cabin please, number RT5W8Z, Ito")
    await say(desk, "c", "Wi-Fi costs what?")  # answered without the offer

    await say(desk, "c", "Great, thank you")
    await say(desk, "c", "Ok, I need to check with my husband")
    before = [row["kind"] for row in await changes(desk)]
    await say(desk, "c", "yes, go ahead")

    _, _, offered_again, asked_again, _ = await replies_to(desk, "c")
    assert before == []
    assert offered_again.startswith("Before anything is changed, once more: Move the booking from economy to business")
    assert "Move the booking from economy to business" in asked_again != offered_again
    assert [row["kind"] for row in await changes(desk)] == ["change_cabin"]


async def test_an_offer_waits_for_nobody_once_a_human_took_the_conversation(desk: Harness, clerk: Clerk) -> None:
    clerk.script = {"Bags": [look_up("Ito"), ("quote_bags", {"additional_bags": 1})], "yes": [CONFIRM]}
    await say(desk, "c", "Bags please, number RT5W8Z, Ito")
    await take_over(desk)
    await hand_back(desk)

    await say(desk, "c", "yes")

    assert await changes(desk) == []
    assert "no longer open" in (await replies_to(desk, "c"))[-1]


async def test_an_offer_that_was_changed_by_another_conversation_is_made_afresh(desk: Harness, clerk: Clerk) -> None:
    clerk.script = {
        "Bags": [look_up("Ito"), ("quote_bags", {"additional_bags": 1})],
        "Cabin": [look_up("Ito"), ("quote_cabin_change", {"cabin": "business"})],
        "yes": [CONFIRM],
    }
    await say(desk, "one", "Bags please, number RT5W8Z, Ito")
    await say(desk, "two", "Cabin please, number RT5W8Z, Ito")

    await say(desk, "one", "yes")
    await say(desk, "two", "yes")

    refused = (await replies_to(desk, "two"))[-1]
    assert refused.startswith("That offer has expired. The offer now is: Move the booking from economy to business")
    assert [row["kind"] for row in await changes(desk)] == ["add_bags"]

    await say(desk, "two", "yes then")

    assert [row["kind"] for row in await changes(desk)] == ["add_bags", "change_cabin"]


@pytest.mark.parametrize(
    ("wish", "check"),
    [
        (
            ("quote_seat_change", {"seat_number": "12A"}),
            "SELECT count(*) AS winners FROM seat WHERE seat_number = '12A'",
        ),
        (
            ("quote_flight_change", {"flights": FLIGHT}),
            "SELECT count(*) AS winners FROM reservation_segment WHERE flight_number = 'LF120'",
        ),
    ],
    ids=["the last seat", "the last place at a fare"],
)
async def test_of_two_conversations_that_say_yes_at_once_one_succeeds_and_the_other_is_told(
    desk: Harness, clerk: Clerk, wish: Step, check: str
) -> None:
    clerk.script = {"Ada": [look_up("Okafor"), wish], "Ben": [look_up("Ito"), wish], "yes": [CONFIRM]}
    await say(desk, "ada", "Ada Okafor here, number QK7P2M, please")
    await say(desk, "ben", "Ben Ito here, number RT5W8Z, please")
    both_staged = asyncio.Barrier(2)
    waited: set[str] = set()

    async def wait_for_the_other(text: str, last: dict[str, Any]) -> None:
        if last.get("ok") and text not in waited:  # each once: the one that starts over waits for nobody
            waited.add(text)
            await asyncio.wait_for(both_staged.wait(), 30)

    clerk.before_reply = wait_for_the_other
    await asyncio.gather(say(desk, "ada", "yes please"), say(desk, "ben", "yes, do it"))
    for conversation in ("ada", "ben"):
        await desk.drain(conversation)

    assert waited == {"yes please", "yes, do it"}
    assert await desk.query(check) == [{"winners": 1}]
    assert len(await changes(desk)) == 1
    last = {(await replies_to(desk, conversation))[-1] for conversation in ("ada", "ben")}
    assert len([text for text in last if " now " in text]) == 1
    assert len([text for text in last if "already taken" in text or "no seats left" in text]) == 1


async def test_a_sender_that_the_gateway_vouches_for_needs_no_confirmation_number(desk: Harness, clerk: Clerk) -> None:
    clerk.script = {"What": [("find_my_reservations", {})], "A bag": [("quote_bags", {"additional_bags": 1})]}

    await say(desk, "vouched", "What have I booked?", **{SENDER_VERIFIED_KEY: "true"})
    await say(desk, "vouched", "A bag please")
    for claim in ("TRUE", "false", "1"):
        await say(desk, f"unknown-{claim}", "What have I booked?", **{SENDER_VERIFIED_KEY: claim})
        assert "cannot tell from your address" in (await replies_to(desk, f"unknown-{claim}"))[0]

    assert "Add 1 checked bag to the booking" in (await replies_to(desk, "vouched"))[1]
