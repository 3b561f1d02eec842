"""The tools that search flights and tell how one stands, over a stand-in for the airline's system."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.unit.airline_stand_ins import (
    BACK,
    NOW,
    OUT,
    RESERVATION,
    MemoryAirline,
    call,
    flight_of,
    later,
    make_turn,
    make_verified_turn,
)
from worker.conversation.context import TurnContext
from worker.domains.airline.records.backend import Fare, Flight
from worker.domains.airline.tools.flights import flight_status, search_flights


def turn_with(*flights: Flight) -> TurnContext:
    return replace(make_turn(), backend=MemoryAirline(RESERVATION, flights=flights))


def by_way_of_denver() -> tuple[Flight, Flight]:
    first = replace(
        later(flight_of(OUT)), flight_number="LF201", destination="DEN", arrives_at=OUT.departs_at + timedelta(hours=27)
    )
    second = replace(
        later(flight_of(OUT)),
        flight_number="LF202",
        origin="DEN",
        departs_at=OUT.departs_at + timedelta(hours=28),
        fares=(Fare("economy", 3, 90), Fare("business", 0, 500)),
    )
    return first, second


async def test_flights_are_found_by_city_or_code_with_times_and_prices_per_cabin() -> None:
    turn = turn_with(later(flight_of(OUT)))

    by_city = await call(search_flights, turn, origin="boston", destination="Seattle", date="2026-03-08")
    by_code = await call(search_flights, turn, origin="BOS", destination="SEA", date="2026-03-08")

    assert by_city == by_code
    assert by_code["options"] == [
        {
            "option": 1,
            "flights": [
                {
                    "flight_number": "LF118",
                    "date": "2026-03-08",
                    "origin": "BOS",
                    "destination": "SEA",
                    "departs": "2026-03-08 09:05",
                    "arrives": "2026-03-08 12:20",
                    "status": "available",
                }
            ],
            "cabins": {
                "basic_economy": {"price_usd": 170, "seats_left": 9},
                "economy": {"price_usd": 210, "seats_left": 9},
                "business": {"price_usd": 510, "seats_left": 9},
            },
        }
    ]


async def test_a_connection_costs_what_its_flights_cost_together_in_cabins_that_both_have() -> None:
    turn = turn_with(*by_way_of_denver())

    answer = await call(search_flights, turn, origin="BOS", destination="SEA", date="2026-03-08")

    (option,) = answer["options"]
    assert [flight["flight_number"] for flight in option["flights"]] == ["LF201", "LF202"]
    assert option["cabins"] == {"economy": {"price_usd": 300, "seats_left": 3}}


async def test_flights_that_have_left_are_no_option() -> None:
    turn = replace(turn_with(), now=OUT.departs_at)

    answer = await call(search_flights, turn, origin="BOS", destination="SEA", date="2026-03-07")

    assert (answer["ok"], answer["options"]) == (True, [])


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"origin": "Paris"}, "no_such_airport"),
        ({"destination": "Atlantis"}, "no_such_airport"),
        ({"destination": "Boston"}, "same_airport"),
        ({"date": "next Friday"}, "no_such_date"),
        ({"date": "2026-02-28"}, "date_past"),
    ],
)
async def test_a_search_that_makes_no_sense_is_refused(arguments: dict[str, Any], code: str) -> None:
    wish = {"origin": "BOS", "destination": "SEA", "date": "2026-03-08", **arguments}

    assert (await call(search_flights, make_turn(), **wish))["refusal"] == code


async def test_yesterday_may_be_today_further_west() -> None:
    answer = await call(search_flights, make_turn(), origin="BOS", destination="SEA", date="2026-03-01")

    assert answer["ok"]


async def test_how_a_flight_stands_is_told_without_verification() -> None:
    delayed = replace(flight_of(OUT), status="delayed")

    answer = await call(flight_status, turn_with(delayed), flight_number="lf 118", date="2026-03-07")

    assert (answer["flight"]["status"], answer["flight"]["departs"]) == ("delayed", "2026-03-07 09:05")


async def test_without_a_day_it_is_the_bookings_or_else_the_flight_under_way() -> None:
    verified = make_verified_turn()
    verified.airline.flight_number, verified.airline.flight_date = "LF119", "2026-03-09"
    under_way = turn_with(later(flight_of(OUT), -24 * 5), later(flight_of(OUT), -24 * 4))

    booked = await call(flight_status, verified, flight_number="LF119")
    today = await call(flight_status, under_way, flight_number="LF118")

    assert booked["flight"]["date"] == BACK.flight_date.isoformat()
    assert today["flight"]["date"] == NOW.date().isoformat()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"flight_number": "LF999"}, "no_such_flight"),
        ({"flight_number": "the morning one"}, "no_such_flight"),
        ({"flight_number": "LF118", "date": "2027-01-01"}, "no_such_flight"),
        ({"flight_number": "LF118", "date": "soon"}, "no_such_date"),
    ],
)
async def test_a_flight_that_is_not_found_is_asked_about(arguments: dict[str, str], code: str) -> None:
    turn = make_turn()

    answer = await call(flight_status, turn, **arguments)

    assert (answer["refusal"], turn.airline.refusals) == (code, 0)
