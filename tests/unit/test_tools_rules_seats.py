"""The rules of seats."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.airline_stand_ins import ADA, OUT
from worker.conversation.refusal import Refusal
from worker.domains.airline.records.backend import SeatTaken
from worker.domains.airline.rules.seats import (
    SEAT_MAP,
    Seat,
    SeatPreference,
    check_seat,
    choose_seats,
    due_for,
    read_seat,
)


def seat(number: str) -> Seat:
    found = read_seat(number)
    assert found is not None
    return found


def taken(number: str, price_usd: int = 0) -> SeatTaken:
    return SeatTaken(OUT.flight_number, OUT.flight_date, ADA.number, number, price_usd)


def test_the_map_has_every_seat_from_1a_to_30f_once() -> None:
    numbers = [s.number for s in SEAT_MAP]

    assert len(numbers) == len(set(numbers)) == 180
    assert (numbers[0], numbers[-1]) == ("1A", "30F")


@pytest.mark.parametrize(("written", "read"), [("12A", "12A"), (" 12 a ", "12A"), ("07c", "7C"), ("30-F", "30F")])
def test_a_seat_is_read_as_customers_write_it(written: str, read: str) -> None:
    assert seat(written).number == read


@pytest.mark.parametrize("written", ["", "0A", "31A", "12G", "A12", "12", "112A", "seat 12A", "１２Ａ"])
def test_what_is_not_on_the_map_is_no_seat(written: str) -> None:
    assert read_seat(written) is None


def test_premium_rows_cost_35_dollars_and_the_others_nothing() -> None:
    assert {s.row: s.price_usd for s in SEAT_MAP} == {row: 35 if row <= 5 else 0 for row in range(1, 31)}


def test_a_and_f_are_window_c_and_d_aisle_b_and_e_middle() -> None:
    kinds = {letter: seat(f"9{letter}").kind for letter in "ABCDEF"}

    assert kinds == {"A": "window", "B": "middle", "C": "aisle", "D": "aisle", "E": "middle", "F": "window"}


@pytest.mark.parametrize(
    ("wanted", "current", "due"),
    [
        ("3A", None, 35),
        ("3A", taken("14C"), 35),
        ("3A", taken("2B", 35), 0),
        ("14C", taken("3A", 35), 0),
        ("9F", None, 0),
    ],
)
def test_a_passenger_pays_what_a_seat_costs_beyond_the_present_one(
    wanted: str, current: SeatTaken | None, due: int
) -> None:
    assert due_for(seat(wanted), current) == due


@given(st.sets(st.sampled_from([s.number for s in SEAT_MAP])), st.sampled_from(["window", "aisle", "middle", "any"]))
def test_seats_offered_are_free_few_and_as_preferred(gone: set[str], preference: SeatPreference) -> None:
    offered = choose_seats(gone, preference)

    assert len(offered) <= 6
    assert not {s.number for s in offered} & gone
    assert all(preference in {"any", s.kind} for s in offered)
    assert len(offered) == min(6, sum(s.number not in gone and preference in {"any", s.kind} for s in SEAT_MAP))


def test_seats_without_a_charge_are_offered_first_and_premium_ones_are_among_them() -> None:
    offered = choose_seats((), "window")

    assert [s.number for s in offered] == ["6A", "6F", "7A", "7F", "1A", "1F"]


@pytest.mark.parametrize(("number", "code"), [("12B", "seat_taken"), ("44Z", "no_such_seat"), ("14c", "already_yours")])
def test_a_seat_that_cannot_be_had_is_refused(number: str, code: str) -> None:
    refusal = check_seat(number, {"12B", "14C"}, taken("14C"))

    assert isinstance(refusal, Refusal)
    assert refusal.code == code


def test_a_free_seat_is_had() -> None:
    assert check_seat("12 a", {"12B"}, taken("14C")) == seat("12A")
