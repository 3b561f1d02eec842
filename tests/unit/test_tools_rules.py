from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.airline_stand_ins import ADA, BACK, BEN, NOW, OUT, RESERVATION
from worker.tools.backend import FlightStatus, SeatTaken
from worker.tools.rules import (
    SEAT_MAP,
    Refusal,
    Seat,
    SeatPreference,
    check_open,
    check_seat,
    choose_seats,
    due_for,
    find_passenger,
    find_segment,
    is_a_yes,
    read_confirmation_number,
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


@pytest.mark.parametrize("written", ["DEMO42", "demo42", "d e m o 4 2", "dem-o42", "DEM O42."])
def test_a_confirmation_number_is_read_as_customers_write_it(written: str) -> None:
    assert read_confirmation_number(written) == "DEMO42"


@pytest.mark.parametrize("written", ["", "DEMO4", "DEMO421", "[CONFIRMATION_NUMBER_9]"])
def test_what_has_not_six_characters_is_no_confirmation_number(written: str) -> None:
    assert read_confirmation_number(written) is None


@pytest.mark.parametrize(
    "name",
    ["Okafor", "OKAFOR", " okafor ", "Ada Okafor", "Okafor, Ada", "Mrs Okafor", "Dr. Ada Okafor", "Ada N. Okafor"],
)
def test_a_passenger_is_found_by_surname_or_whole_name(name: str) -> None:
    assert find_passenger(RESERVATION, name) == ADA


def test_of_two_with_one_surname_the_given_name_decides() -> None:
    assert find_passenger(RESERVATION, "Ben Okafor") == BEN


def test_accents_and_hyphens_do_not_count_in_a_name() -> None:
    reservation = replace(RESERVATION, passengers=(replace(ADA, given_name="Zoë", surname="Lindqvist-Åkerman"),))

    assert find_passenger(reservation, "zoe lindqvist akerman") is not None
    assert find_passenger(reservation, "LINDQVIST-AKERMAN") is not None


@pytest.mark.parametrize(
    "name", ["", " ", "Ada", "Ben", "for", "kafor", "Nokafor", "Eve Okafor", "Okafo", "Okafor Smith", "%"]
)
def test_another_name_opens_nothing(name: str) -> None:
    assert find_passenger(RESERVATION, name) is None


def test_a_name_without_letters_opens_no_booking_of_a_name_without_letters() -> None:
    reservation = replace(RESERVATION, passengers=(replace(ADA, given_name="-", surname="-"),))

    assert find_passenger(reservation, "-") is None


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


@pytest.mark.parametrize(("number", "code"), [("12B", "seat_taken"), ("44Z", "no_such_seat"), ("14c", "already_yours")])
def test_a_seat_that_cannot_be_had_is_refused(number: str, code: str) -> None:
    refusal = check_seat(number, {"12B", "14C"}, taken("14C"))

    assert isinstance(refusal, Refusal)
    assert refusal.code == code


def test_a_free_seat_is_had() -> None:
    assert check_seat("12 a", {"12B"}, taken("14C")) == seat("12A")


@pytest.mark.parametrize(
    "text",
    [
        "yes", "Yes please!", "y", "ok", "Okay, thanks", "sure", "go ahead", "Please go ahead and do it", "sounds good",
        "perfect", "Yep, book it.", "confirm", "12A please", "12a", "Yes, 12A.", "yes, could you do that?", "please do",
        "👍", "That's right, yes", "no problem, go ahead", "alright then", "Yes. Thank you so much!", "please",
    ],
)  # fmt: skip
def test_an_agreement_is_a_yes(text: str) -> None:
    assert is_a_yes(text, "12A")


@pytest.mark.parametrize(
    "text",
    [
        "", "no", "No thanks", "nope", "not sure", "yes but in another row", "Actually, a window instead", "wait",
        "how much is it?", "is that ok?", "Is it a window seat?", "never mind", "12B", "yes, 12B please", "14C is fine",
        "don't", "I don't want that", "cancel that", "hmm", "what about 3A", "that's too expensive", "maybe",
        "let me think",
        "thanks", "a window seat please", "tell me the price, please", "yesterday I flew to Boston",
    ],
)  # fmt: skip
def test_anything_else_is_no_yes(text: str) -> None:
    assert not is_a_yes(text, "12A")
