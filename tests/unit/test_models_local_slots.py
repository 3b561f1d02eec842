"""Test what is picked out of a message, and what is left alone."""

from __future__ import annotations

from datetime import date

import pytest

from worker.domains.airline.local.reading.dates import find_day
from worker.domains.airline.local.reading.names import find_name
from worker.domains.airline.local.reading.options import Option, choose_option
from worker.domains.airline.local.reading.places import find_route
from worker.domains.airline.local.reading.seats import find_preference, find_seat
from worker.domains.airline.local.reading.slots import (
    declines,
    find_confirmation_number,
    find_corrected_name,
    find_flight_number,
)

CODE = "[CONFIRMATION_NUMBER_1]"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("my name is Ada Okafor and my code is " + CODE, "Ada Okafor"),
        ("my last name is raman", "raman"),
        (f"its lindholm and {CODE}", "lindholm"),
        (f"priya {CODE}", "priya"),
        (f"{CODE} Okafor", "Okafor"),
        (f"is my flight on time? Ada Okafor, {CODE}", "Ada Okafor"),
        (f"his code is {CODE}, name Oskar Lindholm", "Oskar Lindholm"),
        ("Hello, I'm Grace Lindholm, and I have a question", "Grace Lindholm"),
        ("I\u2019m John O\u2019Hara", "John O'Hara"),
        ("Last name: van der Berg", "van der Berg"),
        ("name on the booking is Smith", "Smith"),
        ("it's booked under Lee", "Lee"),
        (f"its {CODE}", None),
        ("I'm flying to Rome", None),
        ("I'm so angry", None),
        ("my name is wrong on the ticket", None),
        ("this is ridiculous", None),
        (f"change the seat for {CODE}", None),
        (f"I need an aisle seat {CODE}", None),
        ("Okafor", None),
    ],
)
def test_a_name_is_found_where_one_is_given(text: str, name: str | None) -> None:
    assert find_name(text, asked=False) == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Okafor", "Okafor"),
        ("it's Okafor", "Okafor"),
        ("sure, Okafor", "Okafor"),
        ("Jean-Luc Picard", "Jean-Luc Picard"),
        ("Smith, John", "Smith"),
        ("yes", None),
        ("window please", None),
        ("I don't have it", None),
        ("12A", None),
        ("why do you need it?", None),
    ],
)
def test_a_bare_name_counts_when_it_was_asked_for(text: str, name: str | None) -> None:
    assert find_name(text, asked=True) == name


@pytest.mark.parametrize(
    ("text", "seat"),
    [
        ("12A please", "12A"),
        ("seat 7 C", "7C"),
        ("give me 30f", "30F"),
        ("no not 19B, nearer the wing", None),
        ("not 22C but 21D", "21D"),
        ("31A", None),
        ("flight 1234", None),
        ("in 2 days", None),
        ("at 12 a friend comes", None),
    ],
)
def test_a_seat_is_found(text: str, seat: str | None) -> None:
    assert find_seat(text) == seat


@pytest.mark.parametrize(
    ("text", "preference"),
    [
        ("a window seat please", "window"),
        ("AISLE", "aisle"),
        ("not the middle, an aisle seat", "aisle"),
        ("anything but not a middle one", "aisle"),
        ("from window to aisle", "aisle"),
        ("I don't like the window", None),
    ],
)
def test_a_preference_is_found(text: str, preference: str | None) -> None:
    assert find_preference(text) == preference


@pytest.mark.parametrize(
    "text", ["no", "No thanks", "nope", "hmm, never mind", "actually, don't", "too expensive", "not now"]
)
def test_a_no_is_heard(text: str) -> None:
    assert declines(text)


@pytest.mark.parametrize(
    "text",
    ["12A", "how much?", "window", "", "nothing", "yesterday I called", "north gate", "not yet", "no problem"],
)
def test_other_answers_are_no_no(text: str) -> None:
    assert not declines(text)


def test_the_last_code_and_flight_count() -> None:
    assert find_confirmation_number(f"not {CODE}, it is [CONFIRMATION_NUMBER_2]") == "[CONFIRMATION_NUMBER_2]"
    assert find_flight_number("from LF 118 to LF204") == "LF204"
    assert find_flight_number("on 24 May") is None


TODAY = date(2026, 3, 4)  # a Wednesday


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("May 24, 2026 please", date(2026, 5, 24)),
        ("on the 24th of May", date(2026, 5, 24)),
        ("2026-04-01", date(2026, 4, 1)),
        ("3/19 works", date(2026, 3, 19)),
        ("january 5", date(2027, 1, 5)),
        ("tomorrow", date(2026, 3, 5)),
        ("tonight", TODAY),
        ("Friday", date(2026, 3, 6)),
        ("next Friday", date(2026, 3, 13)),
        ("next Tuesday", date(2026, 3, 10)),
        ("in two weeks", date(2026, 3, 18)),
        ("the 9th", date(2026, 3, 9)),
        ("the 2nd", date(2026, 4, 2)),
        ("not March 5 but March 6", date(2026, 3, 6)),
        ("february 30", None),
        ("seat 12A on flight 118", None),
        ("may I have a window seat", None),
    ],
)
def test_a_day_is_read(text: str, day: date | None) -> None:
    assert find_day(text, TODAY) == day


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("a day earlier", date(2026, 3, 19)),
        ("two days later please", date(2026, 3, 22)),
        ("the next day", date(2026, 3, 21)),
        ("to the next day, May 24", date(2026, 5, 24)),
        ("a week later", date(2026, 3, 27)),
        ("later the same day", date(2026, 3, 20)),
    ],
)
def test_a_day_is_counted_from_the_one_booked(text: str, day: date) -> None:
    assert find_day(text, TODAY, date(2026, 3, 20)) == day


@pytest.mark.parametrize(
    ("text", "origin", "destination"),
    [
        ("a flight from Boston to Seattle on Friday", "Boston", "Seattle"),
        ("fly from new york to los angeles tomorrow", "new york", "los angeles"),
        ("ATL to PHL", "ATL", "PHL"),
        ("JFK-SEA please", "JFK", "SEA"),
        ("I'm going to New York", None, "New York"),
        ("leaving from Phoenix next week", "Phoenix", None),
        ("I want to change my flight to Friday", None, None),
        ("I need to cancel", None, None),
    ],
)
def test_a_route_is_read(text: str, origin: str | None, destination: str | None) -> None:
    assert find_route(text) == (origin, destination)


OPTIONS: list[Option] = [
    {
        "option": number,
        "flights": [{"flight_number": flight, "departs": f"2026-03-08 {departs}"}],
        "cabins": {"economy": {"price_usd": price}},
    }
    for number, flight, departs, price in (
        (1, "LF10", "06:00", 300),
        (2, "LF20", "12:00", 120),
        (3, "LF30", "19:00", 200),
    )
]


@pytest.mark.parametrize(
    ("text", "option"),
    [
        ("I'll go with Option 2, please", 2),
        ("the third one", 3),
        ("2", 2),
        ("the last one", 3),
        ("the cheapest", 2),
        ("the earlier one", 1),
        ("something in the evening", 3),
        ("LF30 sounds good", 3),
        ("option 7", None),
        ("I am not sure", None),
    ],
)
def test_an_option_is_chosen(text: str, option: int | None) -> None:
    chosen = choose_option(text, OPTIONS, "economy")

    assert (chosen or {}).get("option") == option


@pytest.mark.parametrize(
    ("text", "after", "before"),
    [
        ("change the name from Mei Lee to Mei Li please", "Mei Li", "Mei Lee"),
        ("it should be Jon Smith", "Jon Smith", None),
        ("Smith should be Smyth", "Smyth", "Smith"),
        ("the correct spelling is Katherine", "Katherine", None),
        ("my name is wrong", None, None),
    ],
)
def test_a_corrected_name_is_read(text: str, after: str | None, before: str | None) -> None:
    found = find_corrected_name(text, asked=False)

    assert (found.after if found else None) == after
    assert (found.before if found else None) == before
