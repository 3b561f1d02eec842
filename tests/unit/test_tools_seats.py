"""The tools that find, quote and change seats, over a stand-in for the airline's system."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from agents import UserError
from agents.tool_context import ToolContext

from tests.unit.airline_stand_ins import (
    NOW,
    NUMBER,
    OUT,
    PLACEHOLDER,
    RESERVATION,
    MemoryAirline,
    call,
    make_verified_turn,
    next_turn,
)
from worker.conversation.context import TurnContext
from worker.conversation.effects import Effect
from worker.domains.airline.records.backend import SeatTaken
from worker.domains.airline.tools.quotes import confirm_quote, quote_seat_change
from worker.domains.airline.tools.reservations import look_up_reservation
from worker.domains.airline.tools.seats import find_free_seats


def airline_of(turn: TurnContext) -> MemoryAirline:
    assert isinstance(turn.backend, MemoryAirline)
    return turn.backend


async def look_up(turn: TurnContext, number: str = PLACEHOLDER, surname: str = "Okafor") -> dict[str, Any]:
    return await call(look_up_reservation, turn, confirmation_number=number, surname=surname)


async def offer(seat: str = "12A") -> tuple[TurnContext, str]:
    """Quote a seat to a verified customer, and give the turn and the quote's id."""
    turn = make_verified_turn(text=f"I would like {seat}")
    answer = await call(quote_seat_change, turn, seat_number=seat)
    return turn, answer["quote"]["quote_id"]


async def test_free_seats_are_listed_with_what_they_cost() -> None:
    turn = make_verified_turn()
    airline_of(turn).strangers = {("LF118", OUT.flight_date): {"6A", "6F"}}

    answer = await call(find_free_seats, turn, preference="window")

    assert (answer["flight_number"], answer["date"], answer["current_seat"]) == ("LF118", "2026-03-07", "14C")
    assert [s["seat"] for s in answer["seats"]] == ["7A", "7F", "8A", "8F", "1A", "1F"]
    assert answer["seats"][0] == {"seat": "7A", "kind": "window", "price_usd": 0}
    assert answer["seats"][-1] == {"seat": "1F", "kind": "window", "price_usd": 35}
    assert turn.airline.seat_preference == "window"


async def test_a_full_flight_has_no_seats_to_list() -> None:
    turn = make_verified_turn()
    every_seat = {f"{row}{letter}" for row in range(1, 31) for letter in "ABCDEF"}
    airline_of(turn).strangers = {("LF118", OUT.flight_date): every_seat}

    answer = await call(find_free_seats, turn, preference="any")

    assert answer["seats"] == []


async def test_a_flight_named_is_the_one_that_is_meant_and_stays_it() -> None:
    turn = make_verified_turn()

    named = await call(find_free_seats, turn, preference="any", flight_number="lf119")
    after = await call(find_free_seats, turn, preference="any")

    assert (named["flight_number"], named["current_seat"]) == ("LF119", None)
    assert after["flight_number"] == "LF119"


async def test_a_quote_says_exactly_what_is_offered_and_changes_nothing() -> None:
    turn = make_verified_turn(turn_count=3)

    answer = await call(quote_seat_change, turn, seat_number="3a")

    assert answer["quote"]["kind"] == "seat_change"
    assert answer["quote"]["price_usd"] == 35
    assert answer["quote"]["summary"] == (
        "Move Ada Okafor from 14C to premium window seat 3A on flight LF118 on 2026-03-07 for $35 extra, "
        "charged to the card ending in 4242"
    )
    assert turn.effects == []
    quote = turn.airline.quote
    assert quote is not None
    assert (quote.made_in_turn, quote.expires_at) == (3, NOW + timedelta(minutes=30))


async def test_a_quote_holds_no_confirmation_number() -> None:
    turn, _ = await offer()

    assert NUMBER not in turn.airline.model_dump_json()


async def test_a_turn_run_again_makes_the_same_quote() -> None:
    _, first = await offer()
    _, again = await offer()
    _, other = await offer("12F")

    assert first == again != other


async def test_a_yes_in_a_later_message_stages_the_change() -> None:
    turn, quote_id = await offer("3A")
    turn = next_turn(turn, "yes please")

    answer = await call(confirm_quote, turn, quote_id=quote_id)

    assert answer == {
        "ok": True,
        "kind": "seat_change",
        "summary": (
            "Ada Okafor now has premium window seat 3A on flight LF118 on 2026-03-07 for $35 extra, charged to the "
            "card ending in 4242."
        ),
        "seat_number": "3A",
        "flight_number": "LF118",
        "price_usd": 35,
    }
    assert turn.effects == [
        Effect(
            query="move_to_seat",
            parameters={
                "reservation_id": 7,
                "version": 3,
                "passenger_number": 1,
                "flight_number": "LF118",
                "flight_date": "2026-03-07",
                "from_seat": "14C",
                "to_seat": "3A",
                "price_usd": 35,
                "method_number": 1,
                "conversation_id": "c1",
                "tool_call_id": "call_1",
                "details": {"from_seat": "14C", "to_seat": "3A"},
            },
            what="seat_change of reservation 7",
        )
    ]
    assert turn.airline.quote is None
    assert turn.airline.issue_resolved
    assert turn.airline.seat_number == "3A"


async def test_a_quote_is_not_confirmed_in_the_turn_that_made_it() -> None:
    turn, quote_id = await offer()

    answer = await call(confirm_quote, replace(turn, text="yes"), quote_id=quote_id)

    assert answer["refusal"] == "not_yet_confirmed"
    assert turn.effects == []


@pytest.mark.parametrize("text", ["no thanks", "how much is it?", "12B please", "thank you"])
async def test_a_model_that_takes_no_for_a_yes_is_refused(text: str) -> None:
    turn, quote_id = await offer()
    turn = next_turn(turn, text)

    answer = await call(confirm_quote, turn, quote_id=quote_id)

    assert answer["refusal"] == "not_yet_confirmed"
    assert turn.effects == []
    assert turn.airline.quote is not None


async def test_an_expired_quote_is_offered_afresh() -> None:
    turn, quote_id = await offer("3A")
    turn = next_turn(turn, "yes", now=NOW + timedelta(minutes=30))

    answer = await call(confirm_quote, turn, quote_id=quote_id)

    assert answer["refusal"] == "quote_expired"
    assert "Shall I go ahead?" in answer["message"]
    assert turn.effects == []
    fresh = turn.airline.quote
    assert fresh is not None
    assert (fresh.quote_id, fresh.expires_at) == (answer["quote"]["quote_id"], NOW + timedelta(minutes=60))
    assert fresh.quote_id != quote_id
    turn = next_turn(turn, "yes then", now=turn.now)
    assert (await call(confirm_quote, turn, quote_id=fresh.quote_id))["ok"]


async def test_only_the_newest_quote_can_be_confirmed() -> None:
    turn, first = await offer()
    await call(quote_seat_change, turn, seat_number="12F")
    turn = next_turn(turn, "yes")

    answer = await call(confirm_quote, turn, quote_id=first)

    assert answer["refusal"] == "no_such_quote"
    assert turn.effects == []


async def test_a_quote_is_confirmed_once() -> None:
    turn, quote_id = await offer()
    turn = next_turn(turn, "yes")

    await call(confirm_quote, turn, quote_id=quote_id)
    again = await call(confirm_quote, turn, quote_id=quote_id)

    assert again["refusal"] == "no_such_quote"
    assert len(turn.effects) == 1


async def test_a_seat_taken_since_the_quote_is_refused() -> None:
    turn, quote_id = await offer()
    airline_of(turn).strangers = {("LF118", OUT.flight_date): {"12A"}}
    turn = next_turn(turn, "yes")

    answer = await call(confirm_quote, turn, quote_id=quote_id)

    assert answer["refusal"] == "seat_taken"
    assert (turn.effects, turn.airline.quote) == ([], None)


async def test_a_booking_changed_since_the_quote_is_refused() -> None:
    turn, quote_id = await offer()
    airline_of(turn).change(seats=(SeatTaken("LF118", OUT.flight_date, 1, "20F", 0),))
    turn = next_turn(turn, "yes")

    answer = await call(confirm_quote, turn, quote_id=quote_id)

    assert answer["refusal"] == "quote_expired"
    assert turn.effects == []


async def test_a_flight_that_left_since_the_quote_is_refused() -> None:
    turn, quote_id = await offer()
    airline_of(turn).change(segments=(replace(OUT, status="flying"),))
    turn = next_turn(turn, "yes")

    answer = await call(confirm_quote, turn, quote_id=quote_id)

    assert answer["refusal"] == "flight_departed"
    assert turn.effects == []


async def test_a_quote_is_dropped_when_another_booking_is_verified() -> None:
    turn, quote_id = await offer()
    other = replace(RESERVATION, reservation_id=8, confirmation_number="OTHER1")
    turn = next_turn(turn, "yes", backend=MemoryAirline(RESERVATION, other))

    await look_up(turn, "OTHER1")
    answer = await call(confirm_quote, turn, quote_id=quote_id)

    assert answer["refusal"] == "no_such_quote"
    assert turn.effects == []


async def test_looking_up_the_same_booking_again_keeps_the_quote() -> None:
    turn, quote_id = await offer()
    turn = next_turn(turn, "yes")

    await look_up(turn)
    answer = await call(confirm_quote, turn, quote_id=quote_id)

    assert answer["ok"]


async def test_refusals_of_the_airline_are_counted_and_steps_that_come_first_are_not() -> None:
    turn = make_verified_turn()

    await call(quote_seat_change, turn, seat_number="14D")
    await call(confirm_quote, turn, quote_id="q_unknown")

    assert turn.airline.refusals == 1


async def test_arguments_that_do_not_fit_are_explained_to_the_model() -> None:
    answer = await call(find_free_seats, make_verified_turn(), preference="sofa")

    assert answer["refusal"] == "bad_arguments"


async def test_an_error_of_the_airlines_system_goes_up_unchanged() -> None:
    class Unreachable(MemoryAirline):
        async def find_reservation(self, tenant: str, confirmation_number: str) -> None:
            raise ConnectionError("gone")

    turn = replace(make_verified_turn(), backend=Unreachable())
    context = ToolContext(turn, tool_name="find_free_seats", tool_call_id="c", tool_arguments="{}")

    with pytest.raises((ConnectionError, UserError)) as raised:
        await find_free_seats.on_invoke_tool(context, '{"preference": "any", "flight_number": null}')

    assert isinstance(
        raised.value if isinstance(raised.value, ConnectionError) else raised.value.__cause__, ConnectionError
    )
