"""The rules of changing flights."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta, timezone
from typing import Any

import pytest

from tests.unit.airline_stand_ins import BACK, NOW, OUT, RESERVATION, flight_of, later
from worker.conversation.refusal import Refusal
from worker.domains.airline.records.backend import Fare, Flight, Reservation
from worker.domains.airline.rules.flight_changes import ChangePrice, check_changeable, fee_of_change, price_of_change

STAY = (flight_of(OUT), flight_of(BACK))
NEXT_DAY = later(STAY[0])
ONE_WAY = replace(RESERVATION, trip_type="one_way", segments=(OUT,))


def priced(flight: Flight, economy_usd: int, seats_left: int = 9, **changes: Any) -> Flight:
    return replace(flight, fares=(Fare("economy", seats_left, economy_usd),), **changes)


def via(flight: Flight, stop: str, number: str) -> tuple[Flight, Flight]:
    """Break a flight into two with a stop of an hour in between."""
    middle = flight.departs_at + (flight.arrives_at - flight.departs_at) / 2
    first = replace(flight, destination=stop, arrives_at=middle)
    return first, replace(flight, flight_number=number, origin=stop, departs_at=middle + timedelta(hours=1))


def code_of(refusal: object) -> str:
    assert isinstance(refusal, Refusal), refusal
    assert refusal.message
    return refusal.code


@pytest.mark.parametrize(("economy_usd", "difference_usd"), [(210, 0), (260, 100), (150, -120)])
def test_a_change_costs_the_difference_in_fare_for_everybody(economy_usd: int, difference_usd: int) -> None:
    price = price_of_change(RESERVATION, (priced(NEXT_DAY, economy_usd), STAY[1]), NOW)

    assert price == ChangePrice(difference_usd, 0)
    assert price.total_usd == difference_usd


def test_flights_that_stay_cost_nothing_and_need_no_seat_left() -> None:
    price = price_of_change(RESERVATION, (priced(NEXT_DAY, 210), priced(STAY[1], 999, 0)), NOW)

    assert price == ChangePrice(0, 0)


@pytest.mark.parametrize(
    ("before_departure", "fee_usd"),
    [
        (timedelta(hours=24, seconds=1), 0),
        (timedelta(hours=24), 0),
        (timedelta(hours=24) - timedelta(seconds=1), 50),
        (timedelta(minutes=1), 50),
    ],
)
def test_in_the_last_24_hours_a_change_costs_50_dollars_once(before_departure: timedelta, fee_usd: int) -> None:
    price = price_of_change(RESERVATION, (priced(NEXT_DAY, 210), STAY[1]), OUT.departs_at - before_departure)

    assert price == ChangePrice(0, fee_usd)


def test_the_24_hours_are_the_same_in_every_time_zone() -> None:
    edge = OUT.departs_at - timedelta(hours=24)

    for offset_hours in (-11, -5, 0, 14):
        local = edge.astimezone(timezone(timedelta(hours=offset_hours)))
        assert fee_of_change([OUT], local) == 0
        assert fee_of_change([OUT], local + timedelta(seconds=1)) == 50


@pytest.mark.parametrize("status", ["cancelled", "delayed"])
def test_a_flight_that_the_airline_disrupted_is_given_up_without_a_fee(status: Any) -> None:
    assert fee_of_change([replace(OUT, status=status)], OUT.departs_at - timedelta(hours=1)) == 0


def test_a_cancelled_flight_can_be_changed_after_its_time() -> None:
    reservation = replace(ONE_WAY, segments=(replace(OUT, status="cancelled"),))

    price = price_of_change(reservation, [priced(NEXT_DAY, 210)], OUT.departs_at + timedelta(hours=2))

    assert price == ChangePrice(0, 0, waived_usd=50)


def test_the_way_back_can_be_changed_when_the_way_out_is_flown() -> None:
    reservation = replace(RESERVATION, segments=(replace(OUT, status="landed"), BACK))
    now = OUT.arrives_at + timedelta(hours=1)

    assert price_of_change(reservation, (STAY[0], priced(later(STAY[1]), 190)), now) == ChangePrice(0, 0)
    assert code_of(price_of_change(reservation, (NEXT_DAY, STAY[1]), now)) == "flight_departed"


def test_a_direct_flight_may_become_one_with_a_stop() -> None:
    first, second = via(NEXT_DAY, "DEN", "LF300")

    assert price_of_change(ONE_WAY, (priced(first, 100), priced(second, 120)), NOW) == ChangePrice(20, 0)
    assert price_of_change(RESERVATION, (priced(first, 100), priced(second, 120), STAY[1]), NOW) == ChangePrice(20, 0)


@pytest.mark.parametrize(
    "flights",
    [
        (replace(NEXT_DAY, destination="DEN"), STAY[1]),
        (replace(NEXT_DAY, origin="DEN"), STAY[1]),
        (NEXT_DAY,),
        (STAY[0],),
        (STAY[0], replace(later(STAY[1]), destination="DEN")),
        (STAY[0], replace(later(STAY[1]), origin="DEN")),
        (later(STAY[1], 48), replace(NEXT_DAY, departs_at=BACK.departs_at + timedelta(days=9))),
        (STAY[0], later(STAY[1]), replace(later(STAY[1], 72), origin="BOS", destination="SEA")),
        (replace(NEXT_DAY, destination="DEN"), replace(STAY[1], origin="DEN")),
    ],
    ids=[
        "elsewhere",
        "from elsewhere",
        "one way",
        "one way, as it is",
        "home to elsewhere",
        "open jaw",
        "backwards",
        "on",
        "another city, there and back",
    ],
)
def test_origin_destination_and_trip_type_never_change(flights: tuple[Flight, ...]) -> None:
    assert code_of(price_of_change(RESERVATION, flights, NOW)) == "route_never_changes"


def test_a_one_way_trip_does_not_become_a_return() -> None:
    assert code_of(price_of_change(ONE_WAY, STAY, NOW)) == "route_never_changes"


@pytest.mark.parametrize(
    ("flights", "code"),
    [
        (STAY, "already_yours"),
        ((priced(NEXT_DAY, 210, 1), STAY[1]), "no_seats_left"),
        ((priced(NEXT_DAY, 210, status="cancelled"), STAY[1]), "flight_not_open"),
        ((priced(NEXT_DAY, 210, status="flying"), STAY[1]), "flight_not_open"),
        ((later(STAY[0], 49), STAY[1]), "no_connection"),
    ],
)
def test_flights_that_cannot_be_had_are_refused(flights: tuple[Flight, ...], code: str) -> None:
    assert code_of(price_of_change(RESERVATION, flights, NOW)) == code


def test_a_flight_that_leaves_now_can_no_longer_be_taken() -> None:
    soon = replace(NEXT_DAY, departs_at=NOW + timedelta(seconds=1))

    assert isinstance(price_of_change(ONE_WAY, [soon], NOW), ChangePrice)
    assert code_of(price_of_change(ONE_WAY, [soon], NOW + timedelta(seconds=1))) == "flight_not_open"


@pytest.mark.parametrize(
    ("reservation", "count", "code"),
    [
        (replace(RESERVATION, cabin="basic_economy"), 2, "basic_economy"),
        (replace(RESERVATION, status="cancelled"), 2, "reservation_cancelled"),
        (RESERVATION, 0, "wrong_flights"),
        (RESERVATION, 5, "wrong_flights"),
    ],
)
def test_a_booking_whose_flights_never_change_is_refused_before_any_is_looked_up(
    reservation: Reservation, count: int, code: str
) -> None:
    assert code_of(check_changeable(reservation, count)) == code


def test_economy_and_business_can_be_changed() -> None:
    assert check_changeable(RESERVATION, 2) is None
    assert check_changeable(replace(RESERVATION, cabin="business"), 1) is None


def short_way_out() -> tuple[Flight, Flight, Flight]:
    """Give a booking's flights whose way out has a stop of 20 minutes: sold as it is, or made so by a new timetable."""
    first, last = via(STAY[0], "ORD", "LF501")
    return first, replace(last, departs_at=first.arrives_at + timedelta(minutes=20)), STAY[1]


def booked_with(flights: tuple[Flight, ...]) -> Reservation:
    segments = tuple(
        replace(
            OUT,
            number=number,
            flight_number=flight.flight_number,
            flight_date=flight.flight_date,
            origin=flight.origin,
            destination=flight.destination,
            departs_at=flight.departs_at,
            arrives_at=flight.arrives_at,
        )
        for number, flight in enumerate(flights, 1)
    )
    return replace(RESERVATION, segments=segments)


def test_a_short_connection_that_stays_is_no_reason_against_another_way_back() -> None:
    first, last, back = short_way_out()
    booking = booked_with((first, last, back))

    price = price_of_change(booking, (first, last, priced(later(back), 210)), NOW)

    assert isinstance(price, ChangePrice)


@pytest.mark.parametrize("minutes", [0, 20, 44])
@pytest.mark.parametrize("new", [0, 1])
def test_a_short_connection_with_one_new_flight_is_refused(new: int, minutes: int) -> None:
    first, last, back = short_way_out()
    booking = booked_with((first, last, back))
    chosen = [first, last]
    chosen[new] = priced(replace(chosen[new], flight_number="LF777"), 210)
    gap = chosen[1].departs_at - chosen[0].arrives_at - timedelta(minutes=minutes)
    chosen[1] = replace(chosen[1], departs_at=chosen[1].departs_at - gap)

    assert code_of(price_of_change(booking, (*chosen, back), NOW)) == "no_connection"


def test_a_stop_that_outlasts_the_stay_is_named_instead_of_the_route() -> None:
    first, last = via(STAY[1], "ORD", "LF601")
    out, back = STAY[0], (first, later(last, 24 * 30))

    refusal = price_of_change(RESERVATION, (out, *back), NOW)

    assert code_of(refusal) == "stop_too_long"
    assert isinstance(refusal, Refusal)
    assert "stop in ORD" in refusal.message
