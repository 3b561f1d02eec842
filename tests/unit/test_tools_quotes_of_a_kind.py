"""What holds for one kind of quote or another, over a stand-in for the airline's system."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.airline_stand_ins import (
    BACK,
    CUSTOMER,
    NOW,
    OUT,
    call,
    flight_of,
    later,
    make_verified_turn,
    next_turn,
)
from worker.domains.airline.records.backend import Fare, Payment
from worker.domains.airline.tools.quotes import (
    confirm_quote,
    quote_bags,
    quote_cabin_change,
    quote_cancellation,
    quote_compensation,
    quote_flight_change,
    quote_passenger_correction,
    quote_seat_change,
)

if TYPE_CHECKING:
    from agents import FunctionTool


from tests.unit.quote_cases import (
    NEXT_DAY,
    backend_of,
    by_kind,
    quoted,
    turn_for,
)


@pytest.mark.parametrize(
    ("kind", "change", "code"),
    [
        ("flight_change", {"cabin": "basic_economy"}, "basic_economy"),
        ("flight_change", {"segments": (replace(OUT, status="landed"), BACK)}, "flight_departed"),
        ("cancellation", {"segments": (replace(OUT, status="flying"), BACK)}, "already_flown"),
        ("bags", {"status": "cancelled"}, "reservation_cancelled"),
        (
            "passenger_correction",
            {"segments": (replace(OUT, departs_at=NOW + timedelta(hours=3)), BACK)},
            "check_in_open",
        ),
        ("cabin_change", {"cabin": "business"}, "already_yours"),
        ("compensation", {"certificates_usd": 200}, "already_compensated"),
    ],
)
async def test_a_rule_that_no_longer_allows_it_is_told_at_the_yes(kind: str, change: dict[str, Any], code: str) -> None:
    case = by_kind(kind)
    turn, quote_id = await quoted(case)
    backend_of(turn).change(**change)
    turn = next_turn(turn, case.yes)

    answer = await call(confirm_quote, turn, quote_id=quote_id)

    assert answer["refusal"] == code
    assert (turn.effects, turn.airline.quote) == ([], None)


async def test_a_price_that_rose_is_offered_afresh_though_the_booking_is_as_it_was() -> None:
    case = by_kind("flight_change")
    turn, quote_id = await quoted(case)
    dearer = later(flight_of(OUT), 24, fares=(Fare("economy", 5, OUT.price_usd + 31),))
    backend_of(turn).flights = (dearer, later(flight_of(BACK)))
    turn = next_turn(turn, case.yes)

    answer = await call(confirm_quote, turn, quote_id=quote_id)

    assert (answer["refusal"], answer["quote"]["price_usd"]) == ("quote_expired", 62)
    assert "$62" in answer["message"]
    assert turn.effects == []


async def test_a_flight_that_filled_up_since_is_refused() -> None:
    case = by_kind("flight_change")
    turn, quote_id = await quoted(case)
    backend_of(turn).flights = (later(flight_of(OUT), 24, fares=(Fare("economy", 1, OUT.price_usd + 30),)),)
    turn = next_turn(turn, case.yes)

    answer = await call(confirm_quote, turn, quote_id=quote_id)

    assert (answer["refusal"], turn.effects) == ("no_seats_left", [])


async def test_a_way_to_pay_that_is_empty_since_is_refused() -> None:
    case = by_kind("bags")
    turn, quote_id = await quoted(case)
    emptied = tuple(replace(m, balance_usd=49) if m.number == 2 else m for m in CUSTOMER.payment_methods)
    backend_of(turn).change(customer=replace(CUSTOMER, payment_methods=emptied), version=3)
    turn = next_turn(turn, case.yes)

    answer = await call(confirm_quote, turn, quote_id=quote_id)

    assert (answer["refusal"], turn.effects) == ("balance_too_low", [])


async def test_a_cheaper_flight_pays_back_to_what_the_booking_was_paid_with() -> None:
    turn = turn_for(by_kind("flight_change"), payments=(Payment("gift_card", 800, "fare", 2),))
    cheaper = later(flight_of(OUT), 24, fares=(Fare("economy", 5, OUT.price_usd - 30),))
    backend_of(turn).flights = (cheaper,)

    answer = await call(quote_flight_change, turn, flights=NEXT_DAY, payment_method=1)
    turn = next_turn(turn, "yes")
    await call(confirm_quote, turn, quote_id=answer["quote"]["quote_id"])

    assert answer["quote"]["price_usd"] == -60
    assert "refund of $60 within 5 to 7 days to the original payment, the gift card" in answer["quote"]["summary"]
    assert (turn.effects[0].parameters["amount_usd"], turn.effects[0].parameters["method_number"]) == (-60, 2)


async def test_money_that_moves_back_and_forth_names_its_way_though_nothing_is_due() -> None:
    soon = replace(OUT, departs_at=NOW + timedelta(hours=5))
    turn = turn_for(by_kind("flight_change"), segments=(soon, BACK))
    backend_of(turn).flights = (later(flight_of(OUT), 24, fares=(Fare("economy", 5, OUT.price_usd - 25),)),)

    answer = await call(quote_flight_change, turn, flights=NEXT_DAY)
    turn = next_turn(turn, "yes")
    await call(confirm_quote, turn, quote_id=answer["quote"]["quote_id"])

    assert answer["quote"]["price_usd"] == 0
    assert "a change fee of $50 included" in answer["quote"]["summary"]
    parameters = turn.effects[0].parameters
    assert (parameters["amount_usd"], parameters["fee_usd"], parameters["method_number"]) == (0, 50, 1)


async def test_a_refund_whose_way_is_unknown_is_left_to_a_person() -> None:
    turn = turn_for(by_kind("cancellation"), payments=(Payment("card", 800, "fare", None),))

    assert (await call(quote_cancellation, turn, reason="other"))["refusal"] == "no_payment_method"


async def test_a_flight_that_does_not_exist_is_refused() -> None:
    for leg in ({"flight_number": "LF999", "date": "2026-03-08"}, {"flight_number": "LF118", "date": "2026-04-30"}):
        answer = await call(quote_flight_change, turn_for(by_kind("flight_change")), flights=[leg, NEXT_DAY[1]])

        assert answer["refusal"] == "no_such_flight"


async def test_a_seat_or_a_preference_is_asked_for() -> None:
    turn = make_verified_turn()

    answer = await call(quote_seat_change, turn)

    assert (answer["refusal"], turn.airline.refusals) == ("which_seat", 0)


async def test_a_kind_of_seat_that_is_sold_out_is_refused() -> None:
    turn = make_verified_turn()
    windows = {f"{row}{letter}" for row in range(1, 31) for letter in "AF"}
    backend_of(turn).strangers = {("LF118", OUT.flight_date): windows}

    answer = await call(quote_seat_change, turn, preference="window")

    assert answer["refusal"] == "no_free_seat"


async def test_compensation_is_not_offered_to_who_has_not_asked() -> None:
    turn = turn_for(by_kind("compensation"))
    turn.airline.compensation_asked = False

    assert (await call(quote_compensation, turn, complaint="cancelled_flight"))["refusal"] == "not_asked"


async def test_a_large_refund_that_is_refused_is_offered_to_a_person() -> None:
    answer = await call(quote_cancellation, make_verified_turn(), reason="other")

    assert answer["refusal"] == "refund_needs_person"
    assert "Shall I pass this on to a colleague?" in answer["message"]


async def test_a_corrected_companion_does_not_become_the_speaker() -> None:
    turn = make_verified_turn()
    answer = await call(
        quote_passenger_correction, turn, passenger_name="Ben Okafor", given_name="Benn", surname="Okafor"
    )
    turn = next_turn(turn, "yes")

    await call(confirm_quote, turn, quote_id=answer["quote"]["quote_id"])

    assert turn.effects[0].parameters["passenger_number"] == 2
    assert turn.airline.passenger_name == "Ada Okafor"


@pytest.mark.parametrize(
    ("tool", "arguments", "complaint"),
    [
        (quote_bags, {"additional_bags": "many"}, "additional_bags (integer), payment_method (integer or null)"),
        (quote_cabin_change, {"cabin": "first"}, "cabin (basic_economy or economy or business)"),
        (quote_cancellation, {"reason": "boredom"}, "reason"),
        (
            quote_flight_change,
            {"flights": [{"flight_number": "LF118"}]},
            "a list, each an object of flight_number (string), date (string)",
        ),
        (quote_compensation, {}, "complaint"),
    ],
)
async def test_arguments_that_do_not_fit_are_explained_to_the_model(
    tool: FunctionTool, arguments: dict[str, Any], complaint: str
) -> None:
    answer = await call(tool, make_verified_turn(), **arguments)

    assert answer["refusal"] == "bad_arguments"
    assert complaint in answer["message"]
