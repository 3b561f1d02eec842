"""The tool that verifies a customer, over a stand-in for the airline's system."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.unit.airline_stand_ins import (
    ADA,
    NUMBER,
    PLACEHOLDER,
    RESERVATION,
    WRONG_GUESSES_MAX,
    MemoryAirline,
    call,
    make_turn,
    make_verified_turn,
)
from worker.conversation.context import TurnContext
from worker.domains.airline.tools.reservations import look_up_reservation


async def look_up(turn: TurnContext, number: str = PLACEHOLDER, surname: str = "Okafor") -> dict[str, Any]:
    return await call(look_up_reservation, turn, confirmation_number=number, surname=surname)


async def test_a_reservation_is_shown_to_who_knows_number_and_surname() -> None:
    turn = make_turn()

    answer = await look_up(turn)

    leg = {"date": "2026-03-07", "origin": "BOS", "destination": "SEA", "departs": "2026-03-07 09:05"}
    back = {"date": "2026-03-09", "origin": "SEA", "destination": "BOS", "departs": "2026-03-09 14:00"}
    leg["arrives"], back["arrives"] = "2026-03-07 12:20", "2026-03-09 22:25"
    assert answer == {
        "ok": True,
        "reservation": {
            "confirmation_number": PLACEHOLDER,
            "status": "booked",
            "trip_type": "round_trip",
            "passengers": [
                {"name": "Ada Okafor", "seats": {"LF118": "14C"}},
                {"name": "Ben Okafor", "seats": {"LF118": "14D"}},
            ],
            "segments": [
                {"flight_number": "LF118", "status": "available", **leg},
                {"flight_number": "LF119", "status": "available", **back},
            ],
            "cabin": "economy",
            "insured": False,
            "membership": "regular",
            "checked_bags": 1,
            "free_bags": 2,
            "paid_usd": 800,
            "payment_methods": {
                "1": "the card ending in 4242",
                "2": "the gift card with $150 on it",
                "3": "the certificate with $60 on it",
            },
        },
    }
    assert turn.airline.verified
    assert (turn.airline.passenger_name, turn.airline.confirmation_number) == ("Ada Okafor", PLACEHOLDER)
    assert (turn.airline.flight_number, turn.airline.flight_date, turn.airline.seat_number) == (
        "LF118",
        "2026-03-07",
        "14C",
    )


@pytest.mark.parametrize("number", ["demo42", "D E M O 4 2", "CONFIRMATION_NUMBER_1", f" {PLACEHOLDER} "])
async def test_a_number_that_was_not_masked_is_taken_and_shown_as_a_placeholder(number: str) -> None:
    answer = await look_up(make_turn(), number)

    assert answer["reservation"]["confirmation_number"] == PLACEHOLDER
    assert NUMBER not in json.dumps(answer)


async def test_a_wrong_number_and_a_wrong_surname_are_refused_alike() -> None:
    wrong_number, wrong_name, not_a_number = make_turn(), make_turn(), make_turn(text="It is Z9, I think.")

    answers = [
        await look_up(wrong_number, "ZZZ999"),
        await look_up(wrong_name, surname="Santos"),
        await look_up(not_a_number, "Z9"),
    ]

    assert answers[0] == answers[1] == answers[2]
    assert answers[0]["refusal"] == "not_found"
    assert not wrong_name.airline.verified
    assert (wrong_name.airline.refusals, wrong_name.airline.lookups_failed) == (1, 1)


@pytest.mark.parametrize(
    ("number", "surname", "said"),
    [
        (PLACEHOLDER, "Okafor", "I want to move to a window seat"),
        (PLACEHOLDER, "", "Okafor"),
        ("[CONFIRMATION_NUMBER_8]", "Okafor", "I am Ada Okafor"),
        ("1794863205", "Okafor", "I am Ada Okafor"),
        ("DEM042", "Okafor", "I am Ada Okafor, booking DEMO42"),
        (PLACEHOLDER, "Ada Okafor", "Ada here"),
        (PLACEHOLDER, "Li", "a flight to Lisbon"),
        (PLACEHOLDER, "Mr", "Mr Okafor"),
    ],
)
async def test_a_look_up_that_the_model_made_up_opens_nothing_and_costs_the_customer_no_guess(
    number: str, surname: str, said: str
) -> None:
    turn = replace(make_turn(text=said), earlier_texts=())

    answers = [await look_up(turn, number, surname) for _ in range(WRONG_GUESSES_MAX + 1)]

    assert {answer["refusal"] for answer in answers} == {"not_said"}
    assert not turn.airline.verified
    assert (turn.airline.refusals, turn.airline.lookups_failed) == (0, 0)
    assert (await look_up(replace(turn, text="I am Ada Okafor")))["ok"]


@pytest.mark.parametrize(
    ("number", "surname", "said"),
    [
        ("DEMO42", "O'Kafor", "ada okafor, d e m o - 4 2"),
        ("demo42", "Okafor", "demo42 OKAFOR"),
        (PLACEHOLDER, "Mrs. Okafor", "Okafor's booking"),
        (PLACEHOLDER, "Ada Ok\u00e1for", "okafor, Ada"),
    ],
)
async def test_what_the_customer_wrote_is_found_however_it_is_written(number: str, surname: str, said: str) -> None:
    turn = replace(make_turn(text="As I said."), earlier_texts=(said,))

    assert (await look_up(turn, number, surname))["ok"]


async def test_a_number_not_found_is_not_kept() -> None:
    turn = make_turn()

    await look_up(turn, "ZZZ999")

    assert turn.vault.entries == {PLACEHOLDER: NUMBER}


async def test_guesses_are_limited_and_the_right_answer_comes_too_late_after_them() -> None:
    turn = make_turn()
    for _ in range(WRONG_GUESSES_MAX):
        await look_up(turn, "ZZZ999")

    answer = await look_up(turn)

    assert answer["refusal"] == "too_many_attempts"
    assert not turn.airline.verified


async def test_a_name_misread_after_verification_locks_nobody_out() -> None:
    turn = make_verified_turn()

    answer = await look_up(turn, surname="ok then")

    assert answer["ok"]
    assert turn.airline.passenger_name == "Ada Okafor"


async def test_what_was_verified_opens_no_other_booking() -> None:
    other = replace(RESERVATION, reservation_id=8, confirmation_number="OTHER1")
    turn = replace(make_verified_turn(), backend=MemoryAirline(RESERVATION, other))

    answer = await look_up(turn, "OTHER1", surname="Santos")

    assert answer["refusal"] == "not_found"
    assert turn.airline.verified_confirmation_number == PLACEHOLDER


async def test_a_number_of_another_tenant_opens_nothing() -> None:
    turn = make_turn()

    answer = await look_up(replace(turn, key=turn.key._replace(tenant="other")))

    assert answer["refusal"] == "not_found"


async def test_an_answer_keeps_within_its_limit_and_stays_json() -> None:
    long_name = replace(ADA, surname="Okafor" + "x" * 5_000)
    turn = replace(
        make_turn(text=f"I am {long_name.surname}"),
        backend=MemoryAirline(replace(RESERVATION, passengers=(long_name,))),
        tool_output_characters_max=900,
    )

    answer = await look_up(turn, surname=long_name.surname)

    assert answer["ok"]
    assert answer["reservation"]["passengers"][0]["name"].endswith("…")
