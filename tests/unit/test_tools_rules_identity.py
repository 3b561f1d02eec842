"""The rules of who a customer is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runtime.addresses import read_address
from tests.unit.airline_stand_ins import ADA, BEN, CUSTOMER, RESERVATION
from worker.domains.airline.rules.identity import (
    find_confirmation_numbers,
    find_passenger,
    find_speaker,
    read_confirmation_number,
)


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


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"flight_number": "H7KQ2M"}', {"H7KQ2M"}),
        ('{"passenger_name": "Ada, DEMO42"}', {"DEMO42"}),
        ('{"quote_id": "q_ab12cd34ef56", "date": "2026-03-07", "flight_number": "LF1234"}', set()),
        ('{"preference": "window", "given_name": "Miguel", "additional_bags": 123456}', set()),
    ],
)
def test_what_can_only_be_a_confirmation_number_is_found_among_arguments(text: str, found: set[str]) -> None:
    assert find_confirmation_numbers(text) == found


@pytest.mark.parametrize(
    ("sender", "address"),
    [
        ("ada@example.com", "ada@example.com"),
        ("Ada@Example.COM", "ada@example.com"),
        ("Ada Okafor <ada@example.com>", "ada@example.com"),
        ('"victim@example.com" <ada@example.com>', "ada@example.com"),
        ("victim@example.com <ada@example.com> ", "ada@example.com"),
        ("+1 (202) 555-0101", "+12025550101"),
        ("202 555 0101", None),
        ("victim@example.com ada@example.com", None),
        ("<ada@example.com> victim@example.com", None),
        ("visitor-17", None),
        ("", None),
    ],
)
def test_a_sender_is_read_as_the_airline_files_addresses(sender: str, address: str | None) -> None:
    assert read_address(sender) == address


def test_whoever_booked_is_the_one_who_writes() -> None:
    booked_by_ben = replace(RESERVATION, customer=replace(CUSTOMER, given_name="Ben"))
    booked_by_a_stranger = replace(RESERVATION, customer=replace(CUSTOMER, given_name="Eve", surname="Adams"))

    assert find_speaker(booked_by_ben) == BEN
    assert find_speaker(booked_by_a_stranger) == ADA
