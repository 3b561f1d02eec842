"""Test what is picked out of a message, and what is left alone."""

from __future__ import annotations

import pytest

from worker.models.local.slots import (
    find_confirmation_number,
    find_flight_number,
    find_name,
    find_preference,
    find_seat,
    find_yes_no,
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
        ("anything but not a middle one", None),
        ("from window to aisle", "aisle"),
        ("I don't like the window", None),
    ],
)
def test_a_preference_is_found(text: str, preference: str | None) -> None:
    assert find_preference(text) == preference


@pytest.mark.parametrize(
    "text", ["yes", "Yes please!", "ok, go ahead", "sure", "that one works", "sounds good", "great, do it"]
)
def test_a_yes_is_heard(text: str) -> None:
    assert find_yes_no(text) == "yes"


@pytest.mark.parametrize(
    "text", ["no", "No thanks", "nope", "hmm, never mind", "actually, don't", "too expensive", "not now"]
)
def test_a_no_is_heard(text: str) -> None:
    assert find_yes_no(text) == "no"


@pytest.mark.parametrize("text", ["12A", "how much?", "window", "", "nothing", "yesterday I called", "north gate"])
def test_other_answers_are_neither(text: str) -> None:
    assert find_yes_no(text) is None


def test_the_last_code_and_flight_count() -> None:
    assert find_confirmation_number(f"not {CODE}, it is [CONFIRMATION_NUMBER_2]") == "[CONFIRMATION_NUMBER_2]"
    assert find_flight_number("from LF 118 to LF204") == "LF204"
    assert find_flight_number("on 24 May") is None
