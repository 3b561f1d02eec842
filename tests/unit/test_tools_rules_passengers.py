"""The rules of correcting a passenger's name."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.unit.airline_stand_ins import ADA, BACK, BEN, NOW, OUT, RESERVATION
from worker.domains.airline.records.backend import Reservation
from worker.domains.airline.rules.passengers import check_correction


def passenger(name: str) -> tuple[str, str]:
    given_name, _, surname = name.rpartition(" ")
    return given_name, surname


@pytest.mark.parametrize(
    ("booked", "wanted"),
    [
        ("Jon Smith", "John Smith"),
        ("Katharine Meyer", "Katherine Meier"),
        ("Miguel Santso", "Miguel Santos"),
        ("Zoe Lindqvist", "Zoë Lindqvist"),
        ("ADA OKAFOR", "Ada Okafor"),
        ("Okafor Ada", "Ada Okafor"),
        ("Ada Okafor", "Ada Maria Okafor"),
        ("Ada Maria Okafor", "Ada Okafor"),
        ("Priya Ramann", "Priya Raman"),
        ("Sean O'Brien", "Sean OBrien"),
    ],
)
def test_the_same_person_spelt_rightly_is_corrected(booked: str, wanted: str) -> None:
    given_name, surname = passenger(booked)
    traveller = replace(ADA, given_name=given_name, surname=surname)
    reservation = replace(RESERVATION, passengers=(traveller, BEN))

    assert check_correction(reservation, traveller, passenger(wanted), NOW) is None


@pytest.mark.parametrize(
    ("booked", "wanted"),
    [
        ("Mei Lee", "Mei Garcia"),
        ("Ada Okafor", "Eve Okafor"),
        ("Ben Okafor", "Ken Okafor"),
        ("Ada Okafor", "Ada Okafor-Lindholm"),
        ("Ada Okafor", "Ida Okafor"),
        ("Jo Ng", "Al Ng"),
        ("Anna Maria Rossi", "Luca Rossi"),
        ("Maria Rossi", "Anna Maria Rossi"),
        ("Christopher Smith", "Christina Smith"),
    ],
)
def test_another_person_does_not_get_the_ticket(booked: str, wanted: str) -> None:
    given_name, surname = passenger(booked)
    traveller = replace(ADA, given_name=given_name, surname=surname)
    reservation = replace(RESERVATION, passengers=(traveller,))

    refusal = check_correction(reservation, traveller, passenger(wanted), NOW)

    assert refusal is not None
    assert refusal.code == "another_person"


def test_a_passenger_does_not_become_another_of_the_same_booking() -> None:
    jan, jon = replace(ADA, given_name="Jan"), replace(BEN, given_name="Jon")

    refusal = check_correction(replace(RESERVATION, passengers=(jan, jon)), jan, ("Jon", "Okafor"), NOW)

    assert refusal is not None
    assert refusal.code == "another_person"


@pytest.mark.parametrize(
    ("given_name", "surname", "code"),
    [
        ("", "Okafor", "no_such_name"),
        ("Ada", " ", "no_such_name"),
        ("Ada1", "Okafor", "no_such_name"),
        ("[EMAIL_1]", "Okafor", "no_such_name"),
        ("Ada", "O" * 41, "no_such_name"),
        ("Ada", "<b>", "no_such_name"),
        ("Ada", "Okafor", "already_yours"),
    ],
)
def test_what_is_no_new_name_is_asked_about(given_name: str, surname: str, code: str) -> None:
    refusal = check_correction(RESERVATION, ADA, (given_name, surname), NOW)

    assert refusal is not None
    assert (refusal.code, refusal.counts) == (code, False)


@pytest.mark.parametrize(
    ("reservation", "code"),
    [
        (replace(RESERVATION, status="cancelled"), "reservation_cancelled"),
        (replace(RESERVATION, segments=(replace(OUT, status="landed"), BACK)), "already_flown"),
    ],
)
def test_a_booking_cancelled_or_flown_is_not_corrected(reservation: Reservation, code: str) -> None:
    refusal = check_correction(reservation, ADA, ("Adah", "Okafor"), NOW)

    assert refusal is not None
    assert refusal.code == code


def test_names_are_corrected_until_check_in_opens() -> None:
    opens = OUT.departs_at - timedelta(hours=24)

    refusal = check_correction(RESERVATION, ADA, ("Adah", "Okafor"), opens)

    assert check_correction(RESERVATION, ADA, ("Adah", "Okafor"), opens - timedelta(seconds=1)) is None
    assert refusal is not None
    assert refusal.code == "check_in_open"
