"""Read which seat is wanted, for whom, and how many bags: what is turned down or only spoken of is not wished for."""

from __future__ import annotations

import pytest

from worker.domains.airline.local.reading.counts import count_bags
from worker.domains.airline.local.reading.seats import find_preference, find_seat, find_seats
from worker.domains.airline.local.reading.travellers import Move, moves_in, travellers_in, wants_together

FAMILY = ("Grace Lindholm", "Oskar Lindholm", "Mia Lindholm", "Noa Lindholm")


@pytest.mark.parametrize(
    ("text", "seat", "preference"),
    [
        ("no window, anything but a window", None, "aisle"),
        ("anywhere except the middle", None, "aisle"),
        ("not by the window but on the aisle", None, "aisle"),
        ("I hate the middle, a window please", None, "window"),
        ("I'd rather have a window than an aisle seat", None, "window"),
        ("no aisle please", None, "window"),
        ("in the middle of a meeting, when do we leave?", None, None),
        ("my middle name is Ngozi", None, None),
        ("the window blind was stuck", None, None),
        ("which seat is the aisle one, 14C or 14B?", None, None),
        ("is that a window?", None, None),
        ("is there a window seat free?", None, "window"),
        ("from 14C to 12A please", "12A", None),
        ("I'm in 14C, can I have 12A?", "12A", None),
        ("I have 14C but want 15C", "15C", None),
        ("my seat 24F has a broken lamp", None, None),
        ("*12C", "12C", None),
        ("no not 22C, further forward", None, None),
    ],
)
def test_a_seat_is_wanted_only_where_it_is_wished_for(text: str, seat: str | None, preference: str | None) -> None:
    assert (find_seat(text), find_preference(text)) == (seat, preference)


def test_every_seat_of_a_message_is_read_in_order() -> None:
    assert find_seats("20A for Mia, 20B for Noa, and not 20C") == ("20A", "20B")


@pytest.mark.parametrize(
    ("text", "travellers"),
    [
        ("seat 20C for Oskar please", ["Oskar Lindholm"]),
        ("Noa and Mia want windows", ["Noa Lindholm", "Mia Lindholm"]),
        ("mia's seat", ["Mia Lindholm"]),
        ("a window for MIA", ["Mia Lindholm"]),
        ("Lindholm here, an aisle seat", []),
        ("Grace keeps hers", []),
    ],
)
def test_a_passenger_is_known_by_the_given_name(text: str, travellers: list[str]) -> None:
    assert travellers_in(text, FAMILY, "Grace Lindholm") == travellers


@pytest.mark.parametrize("text", ["my wife would like an aisle seat", "put him at the window", "and for my daughter?"])
def test_of_two_passengers_a_relation_is_the_other_one(text: str) -> None:
    assert travellers_in(text, ("Jonh Carter", "Amy Carter"), "Jonh Carter") == ["Amy Carter"]
    assert travellers_in(text, FAMILY, "Grace Lindholm") == []


def test_several_passengers_and_as_many_seats_are_paired_in_order() -> None:
    assert moves_in("Mia and Noa to 20A and 20B", FAMILY) == [Move("Mia Lindholm", "20A"), Move("Noa Lindholm", "20B")]
    assert moves_in("Mia and Noa to 20A", FAMILY) == []


@pytest.mark.parametrize(
    "text", ["we want to sit together", "seats side by side please", "can we be seated next to each other"]
)
def test_seats_together_are_heard(text: str) -> None:
    assert wants_together(text)


@pytest.mark.parametrize(
    ("text", "bags"),
    [
        ("12 more bags please", 12), ("couple of bags", 2), ("add a bag", 1), ("two more suitcases", 2),
        ("one bag not two", 1), ("not two bags but three bags", 3), ("3 bags instead of 2 bags", 3),
        ("another piece of luggage", 1), ("2 big checked bags", 2), ("a pair of suitcases", 2), ("bags", None),
        ("my flight is at 12", None),
    ],
)  # fmt: skip
def test_bags_are_counted_as_they_are_wanted(text: str, bags: int | None) -> None:
    assert count_bags(text) == bags


@pytest.mark.parametrize(
    ("text", "bags"), [("just 2", 2), ("make it three", 3), ("no, two", 2), ("up to 50 lbs", None)]
)
def test_a_bare_number_answers_how_many_bags(text: str, bags: int | None) -> None:
    assert count_bags(text, asked=True) == bags
