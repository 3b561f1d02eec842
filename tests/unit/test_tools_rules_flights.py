"""The rules of which flight is meant, and whether it has left."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from tests.unit.airline_stand_ins import AIRPORTS, BACK, NOW, OUT, RESERVATION, flight_of, later
from worker.conversation.refusal import Refusal
from worker.domains.airline.records.backend import Airport, FlightStatus
from worker.domains.airline.rules.bags import check_bags
from worker.domains.airline.rules.flights import (
    check_none_flown,
    check_open,
    choose_flight_of_day,
    days_around,
    find_airport,
    find_segment,
    first_departure,
    has_flown,
    read_cabin,
    read_day,
    read_flight_number,
)


def test_the_flight_named_is_found_however_it_is_written() -> None:
    assert find_segment(RESERVATION, "lf 119", NOW) == BACK


def test_without_a_flight_named_it_is_the_next_one_that_has_not_left() -> None:
    assert find_segment(RESERVATION, "", NOW) == OUT
    assert find_segment(RESERVATION, "", OUT.departs_at) == BACK
    assert find_segment(RESERVATION, "", BACK.departs_at) == OUT


def test_a_flight_that_is_not_part_of_the_booking_is_refused() -> None:
    refusal = find_segment(RESERVATION, "LF999", NOW)

    assert isinstance(refusal, Refusal)
    assert refusal.code == "no_such_flight"
    assert "LF118, LF119" in refusal.message


@pytest.mark.parametrize("status", ["available", "on_time", "delayed"])
def test_seats_of_a_flight_ahead_can_be_changed(status: FlightStatus) -> None:
    segment = replace(OUT, status=status)

    assert check_open(RESERVATION, segment, OUT.departs_at - timedelta(seconds=1)) is None


@pytest.mark.parametrize(
    ("status", "code"),
    [("flying", "flight_departed"), ("landed", "flight_departed"), ("cancelled", "flight_cancelled")],
)
def test_seats_of_a_flight_that_left_or_was_cancelled_cannot_be_changed(status: FlightStatus, code: str) -> None:
    refusal = check_open(RESERVATION, replace(OUT, status=status), NOW)

    assert refusal is not None
    assert refusal.code == code


def test_a_flight_is_closed_from_the_minute_it_departs() -> None:
    refusal = check_open(RESERVATION, OUT, OUT.departs_at)

    assert refusal is not None
    assert refusal.code == "flight_departed"


def test_seats_of_a_cancelled_booking_cannot_be_changed() -> None:
    refusal = check_open(replace(RESERVATION, status="cancelled"), OUT, NOW)

    assert refusal is not None
    assert refusal.code == "reservation_cancelled"


@pytest.mark.parametrize(
    ("status", "before", "after"),
    [
        ("available", False, True),
        ("on_time", False, True),
        ("delayed", False, False),
        ("flying", True, True),
        ("landed", True, True),
        ("cancelled", False, False),
    ],
)
def test_a_flight_has_flown_from_its_departure_unless_it_was_cancelled(
    status: FlightStatus, *, before: bool, after: bool
) -> None:
    segment = replace(OUT, status=status)

    assert has_flown(segment, OUT.departs_at - timedelta(seconds=1)) is before
    assert has_flown(segment, OUT.departs_at) is after


def test_a_delayed_flight_has_not_flown_until_its_status_says_so_or_is_too_old() -> None:
    delayed = replace(OUT, status="delayed")

    assert not has_flown(delayed, OUT.departs_at + timedelta(minutes=40))
    assert not has_flown(delayed, OUT.departs_at + timedelta(hours=24) - timedelta(seconds=1))
    assert has_flown(delayed, OUT.departs_at + timedelta(hours=24))
    assert has_flown(replace(OUT, status="flying"), OUT.departs_at - timedelta(minutes=5))


def test_a_delayed_flight_at_its_gate_is_open_for_all_that_an_open_flight_is() -> None:
    booking = replace(RESERVATION, segments=(replace(OUT, status="delayed"), BACK))
    at_the_gate = OUT.departs_at + timedelta(minutes=40)

    assert first_departure(booking, at_the_gate) == OUT.departs_at
    assert find_segment(booking, "", at_the_gate) == booking.segments[0]
    assert check_open(booking, booking.segments[0], at_the_gate) is None
    assert check_none_flown(booking, at_the_gate, "a cancellation") is None
    assert check_bags(booking, 1, at_the_gate) is None


def test_the_next_departure_is_the_first_flight_still_ahead() -> None:
    assert first_departure(RESERVATION, NOW) == OUT.departs_at
    assert first_departure(RESERVATION, OUT.departs_at) == BACK.departs_at
    assert first_departure(RESERVATION, BACK.departs_at) is None


@pytest.mark.parametrize(("written", "read"), [("LF118", "LF118"), ("lf 118", "LF118"), ("LF-0118", "LF118")])
def test_a_flight_number_is_read_as_customers_write_it(written: str, read: str) -> None:
    assert read_flight_number(written) == read


@pytest.mark.parametrize("written", ["", "118", "LF", "LF12345", "the morning one", "L118"])
def test_what_is_no_flight_number_is_not_read_as_one(written: str) -> None:
    assert read_flight_number(written) is None


def test_a_day_is_read_as_iso_and_anything_else_is_asked_for() -> None:
    assert read_day(" 2026-03-07 ") == date(2026, 3, 7)
    for written in ("2026-02-30", "next Friday", "7 March", ""):
        refusal = read_day(written)
        assert isinstance(refusal, Refusal)
        assert not refusal.counts


@pytest.mark.parametrize(
    ("written", "read"),
    [("business", "business"), ("Basic Economy", "basic_economy"), ("economy class", "economy"), ("first", None)],
)
def test_a_cabin_is_read_as_customers_write_it(written: str, read: str | None) -> None:
    assert read_cabin(written) == read


@pytest.mark.parametrize("place", ["BOS", "bos", "Boston", "boston", "Boston (BOS)", "Boston Logan", "BOS airport"])
def test_an_airport_is_found_by_code_or_city(place: str) -> None:
    assert find_airport(AIRPORTS, place) == AIRPORTS[0]


@pytest.mark.parametrize("place", ["", "Paris", "XXX", "?"])
def test_a_place_without_an_airport_is_refused_with_those_there_are(place: str) -> None:
    refusal = find_airport(AIRPORTS, place)

    assert isinstance(refusal, Refusal)
    assert refusal.code == "no_such_airport"
    assert "Boston, Denver, Seattle" in refusal.message


def test_a_city_with_two_airports_is_asked_about() -> None:
    new_york = (Airport("JFK", "New York"), Airport("LGA", "New York"))

    refusal = find_airport(new_york, "New York")

    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.counts) == ("which_airport", False)
    assert find_airport(new_york, "New York JFK") == new_york[0]


def test_without_a_day_the_flight_that_is_not_over_is_meant() -> None:
    today = flight_of(OUT)
    tomorrow = later(today)

    assert choose_flight_of_day([tomorrow, today], today.departs_at) == today
    assert choose_flight_of_day([tomorrow, today], today.arrives_at) == tomorrow
    assert choose_flight_of_day([today], tomorrow.arrives_at) == today
    assert choose_flight_of_day([], NOW) is None


def test_without_a_day_a_delayed_flight_is_not_over_when_it_should_have_arrived() -> None:
    today = replace(flight_of(OUT), status="delayed")

    assert choose_flight_of_day([later(today), today], today.arrives_at + timedelta(hours=1)) == today


def test_today_may_still_be_yesterday_where_the_flight_leaves() -> None:
    assert days_around(NOW) == (date(2026, 3, 1), date(2026, 3, 2), date(2026, 3, 3))
