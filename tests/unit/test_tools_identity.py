"""No tool acts for anybody but the verified customer, whatever its arguments say."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.airline_stand_ins import (
    ADDRESS,
    CUSTOMER,
    NUMBER,
    PLACEHOLDER,
    RESERVATION,
    WRONG_GUESSES_MAX,
    MemoryAirline,
    call,
    make_turn,
    make_verified_turn,
    next_turn,
)
from worker.conversation.context import AirlineAgentContext
from worker.conversation.vault import Vault
from worker.domains.airline.agents.booking import build_booking
from worker.domains.airline.tools.quotes import confirm_quote, quote_bags
from worker.domains.airline.tools.reservations import find_my_reservations, look_up_reservation

if TYPE_CHECKING:
    from agents import FunctionTool

    from worker.conversation.context import TurnContext

OTHER_NUMBER = "H7KQ2M"
OTHER_PLACEHOLDER = "[CONFIRMATION_NUMBER_2]"
OTHER = replace(
    RESERVATION,
    reservation_id=8,
    confirmation_number=OTHER_NUMBER,
    passengers=(replace(RESERVATION.passengers[0], given_name="Miguel", surname="Santos"),),
    customer=replace(CUSTOMER, customer_id=4, given_name="Miguel", surname="Santos"),
)

ARGUMENTS: dict[str, dict[str, Any]] = {
    "find_free_seats": {"preference": "any"},
    "quote_seat_change": {"seat_number": "12A"},
    "quote_flight_change": {"flights": [{"flight_number": "LF118", "date": "2026-03-08"}]},
    "quote_cancellation": {"reason": "other"},
    "quote_bags": {"additional_bags": 1},
    "quote_passenger_correction": {"passenger_name": "Ada Okafor", "given_name": "Ada", "surname": "Okafoor"},
    "quote_cabin_change": {"cabin": "business"},
    "quote_compensation": {"complaint": "delayed_flight"},
    "confirm_quote": {"quote_id": "q_1"},
}
"""A call of every tool that acts for a booking; those that verify or need nobody verified stand below."""
OPEN_TO_ALL = {"look_up_reservation", "find_my_reservations", "search_flights", "flight_status", "faq_lookup"}
TOOLS: dict[str, FunctionTool] = {tool.name: tool for tool in build_booking().tools}  # type: ignore[misc]


def test_every_tool_of_a_booking_is_tested() -> None:
    assert set(ARGUMENTS) | OPEN_TO_ALL == set(TOOLS)


async def with_quote(turn: TurnContext) -> TurnContext:
    """Open the quote that confirm_quote is about, and go on to the message after it."""
    await call(quote_bags, turn, additional_bags=1)
    assert turn.airline.quote is not None
    turn.airline.quote.quote_id = "q_1"
    return next_turn(turn, "yes")


def texts_in(arguments: dict[str, Any], text: str) -> list[dict[str, Any]]:
    """Put a text in the place of each argument that is free text, one at a time."""
    free = {"seat_number", "flight_number", "passenger_name", "given_name", "surname"}
    found = [{**arguments, name: text} for name in arguments if name in free]
    found += [{**arguments, "flights": [{**leg, "flight_number": text}]} for leg in arguments.get("flights", [])]
    return found or ([{**arguments, "flight_number": text}] if "preference" in arguments else [])


CONTRADICTIONS = [
    (name, changed)
    for name, arguments in ARGUMENTS.items()
    for named in (OTHER_NUMBER, OTHER_PLACEHOLDER, f"{NUMBER} and {OTHER_NUMBER}", "CONFIRMATION_NUMBER_2")
    for changed in texts_in(arguments, named)
]


@pytest.mark.parametrize(("name", "arguments"), CONTRADICTIONS)
async def test_arguments_that_name_another_booking_are_refused(name: str, arguments: dict[str, Any]) -> None:
    vault = Vault({PLACEHOLDER: NUMBER, OTHER_PLACEHOLDER: OTHER_NUMBER})
    turn = replace(make_verified_turn(), backend=MemoryAirline(RESERVATION, OTHER), vault=vault)
    if name not in {"find_free_seats", "quote_seat_change"}:
        answer = await call(TOOLS[name], turn, **arguments)
        assert answer["refusal"] == "other_booking"
    else:  # a seat's flight may be refused for not being part of the booking before it is read as anything else
        answer = await call(TOOLS[name], turn, **arguments)
        assert answer["refusal"] in {"other_booking", "no_such_flight"}
    assert (turn.effects, turn.airline.quote) == ([], None)


def test_the_contradictions_reach_every_tool_with_free_text() -> None:
    assert {name for name, _ in CONTRADICTIONS} == {
        "find_free_seats", "quote_seat_change", "quote_flight_change", "quote_passenger_correction",
    }  # fmt: skip


@pytest.mark.parametrize("name", ARGUMENTS)
@pytest.mark.parametrize(
    "context",
    [
        AirlineAgentContext(),
        AirlineAgentContext(confirmation_number=PLACEHOLDER, passenger_name="Ada Okafor"),
        AirlineAgentContext(confirmation_number=PLACEHOLDER, passenger_name="Ada Okafor", verified=True),
        AirlineAgentContext(
            confirmation_number=PLACEHOLDER, passenger_name="Ada Okafor", verified_confirmation_number=PLACEHOLDER
        ),
        AirlineAgentContext(
            confirmation_number=OTHER_PLACEHOLDER,
            verified_confirmation_number=PLACEHOLDER,
            passenger_name="Ada Okafor",
            verified=True,
        ),
        AirlineAgentContext(
            confirmation_number=PLACEHOLDER,
            verified_confirmation_number=PLACEHOLDER,
            passenger_name="Miguel Santos",
            verified=True,
        ),
    ],
    ids=[
        "nothing known",
        "only stated",
        "verified what",
        "no longer verified",
        "another number since",
        "another name since",
    ],
)
async def test_no_tool_acts_for_a_customer_who_is_not_verified_for_this_booking(
    name: str, context: AirlineAgentContext
) -> None:
    quoted = await with_quote(make_verified_turn())
    turn = replace(make_turn(airline=context.model_copy(), turn_count=2), text="yes")
    turn.airline.quote = quoted.airline.quote

    answer = await call(TOOLS[name], turn, **ARGUMENTS[name])

    assert answer["refusal"] == "not_verified"
    assert turn.effects == []


async def test_a_quote_of_one_booking_is_not_taken_up_for_another() -> None:
    turn = await with_quote(make_verified_turn())
    quote = turn.airline.quote
    turn = replace(turn, backend=MemoryAirline(RESERVATION, OTHER))
    await call(look_up_reservation, turn, confirmation_number=OTHER_NUMBER, surname="Santos")
    assert turn.airline.quote is None
    turn.airline.quote = quote

    answer = await call(confirm_quote, turn, quote_id="q_1")

    assert answer["refusal"] == "other_booking"
    assert turn.effects == []


async def test_a_name_that_is_not_on_the_booking_is_refused() -> None:
    arguments = {"passenger_name": "Miguel Santos", "given_name": "Miguell", "surname": "Santos"}

    answer = await call(TOOLS["quote_passenger_correction"], make_verified_turn(), **arguments)

    assert answer["refusal"] == "other_booking"


async def test_another_customers_way_to_pay_is_refused() -> None:
    answer = await call(quote_bags, make_verified_turn(), additional_bags=9, payment_method=9)

    assert answer["refusal"] == "no_such_payment_method"


# The channel's verified address


def from_address(address: str | None, *reservations: Any) -> TurnContext:
    return replace(make_turn(), backend=MemoryAirline(*reservations), vault=Vault(), verified_sender=address)


async def test_the_only_booking_of_a_verified_address_is_opened() -> None:
    turn = from_address(ADDRESS, RESERVATION, OTHER)

    answer = await call(find_my_reservations, turn)

    assert answer["verified"]
    assert [found["confirmation_number"] for found in answer["reservations"]] == [PLACEHOLDER]
    assert (turn.airline.verified, turn.airline.passenger_name) == (True, "Ada Okafor")
    assert (await call(quote_bags, turn, additional_bags=1))["ok"]
    assert NUMBER not in str(answer)


async def test_of_several_bookings_one_is_opened_by_its_placeholder_without_a_surname() -> None:
    second = replace(RESERVATION, reservation_id=9, confirmation_number=OTHER_NUMBER)
    turn = from_address(ADDRESS, RESERVATION, second)

    listed = await call(find_my_reservations, turn)
    before = await call(quote_bags, turn, additional_bags=1)
    opened = await call(look_up_reservation, turn, confirmation_number=OTHER_PLACEHOLDER, surname="")

    assert [found["confirmation_number"] for found in listed["reservations"]] == [PLACEHOLDER, OTHER_PLACEHOLDER]
    assert before["refusal"] == "not_verified"
    assert opened["ok"]
    assert turn.airline.verified_confirmation_number == OTHER_PLACEHOLDER
    assert "payment_methods" not in listed["reservations"][0]


async def test_without_a_verified_address_nothing_is_found_by_it() -> None:
    turn = from_address(None, RESERVATION)

    answer = await call(find_my_reservations, turn)

    assert (answer["refusal"], turn.airline.refusals) == ("channel_not_verified", 0)
    assert not turn.airline.verified


async def test_an_address_without_bookings_is_told_so() -> None:
    assert (await call(find_my_reservations, from_address("eve@example.com")))["refusal"] == "not_found"


async def test_a_verified_address_opens_nobody_elses_booking_by_its_number() -> None:
    turn = replace(from_address(ADDRESS, RESERVATION, OTHER), vault=Vault({PLACEHOLDER: OTHER_NUMBER}))

    answer = await call(look_up_reservation, turn, confirmation_number=PLACEHOLDER, surname="Okafor")

    assert answer["refusal"] == "not_found"
    assert not turn.airline.verified


async def test_a_placeholder_of_the_list_opens_nothing_once_the_address_is_not_vouched_for() -> None:
    second = replace(RESERVATION, reservation_id=9, confirmation_number=OTHER_NUMBER)
    turn = from_address(ADDRESS, RESERVATION, second)
    await call(find_my_reservations, turn)
    turn = replace(turn, verified_sender=None)

    answer = await call(look_up_reservation, turn, confirmation_number=OTHER_PLACEHOLDER, surname="")

    assert answer["refusal"] == "not_said"


async def test_guesses_are_limited_for_a_verified_address_as_well() -> None:
    turn = from_address(ADDRESS, RESERVATION, OTHER)
    for _ in range(WRONG_GUESSES_MAX):
        await call(look_up_reservation, turn, confirmation_number=OTHER_NUMBER, surname="Okafor")

    answer = await call(look_up_reservation, turn, confirmation_number=OTHER_NUMBER, surname="Santos")

    assert answer["refusal"] == "too_many_attempts"


def test_the_verified_address_stands_in_no_representation_of_a_turn() -> None:
    assert ADDRESS not in repr(from_address(ADDRESS, RESERVATION))
