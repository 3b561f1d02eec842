"""The tools that quote and confirm changes of every kind, over a stand-in for the airline's system."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.airline_stand_ins import (
    BACK,
    CUSTOMER,
    NOW,
    OUT,
    RESERVATION,
    MemoryAirline,
    call,
    flight_of,
    later,
    make_verified_turn,
    next_turn,
)
from worker.agents.context import Quote
from worker.tools.backend import Effect, Fare, Payment, Reservation
from worker.tools.quotes import (
    QUOTE_TOOLS,
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

    from worker.agents.context import TurnContext

NEXT_DAY = [{"flight_number": "LF118", "date": "2026-03-08"}, {"flight_number": "LF119", "date": "2026-03-09"}]
CARD_WORDS = "charged to the card ending in 4242"


@dataclass(frozen=True)
class Case:
    """Hold one change: what is asked for, what is quoted, and the effect that a yes stages."""

    kind: str
    tool: FunctionTool
    arguments: dict[str, Any]
    summary: str
    price_usd: int
    query: str
    change: dict[str, Any]
    shown: dict[str, Any]
    yes: str = "yes please"
    booking: dict[str, Any] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)


CASES = [
    Case(
        kind="seat_change",
        tool=quote_seat_change,
        arguments={"preference": "window"},
        summary="Move Ada Okafor from 14C to window seat 6A on flight LF118 on 2026-03-07 at no extra charge",
        price_usd=0,
        query="move_to_seat",
        change={
            "passenger_number": 1, "flight_number": "LF118", "flight_date": "2026-03-07", "from_seat": "14C",
            "to_seat": "6A", "price_usd": 0, "method_number": None,
        },
        shown={"seat_number": "6A", "flight_number": "LF118"},
        facts={"seat_number": "6A", "seat_preference": "window"},
    ),
    Case(
        kind="flight_change",
        tool=quote_flight_change,
        arguments={"flights": NEXT_DAY},
        summary=(
            "Change LF118 on 2026-03-07 to LF118, departing 2026-03-08 09:05, arriving 2026-03-08 12:20 in economy for "
            f"2 passengers for $60 extra, {CARD_WORDS}; seats on the old flights are given up"
        ),
        price_usd=60,
        query="change_flights",
        change={
            "segments": [
                {"flight_number": "LF118", "flight_date": "2026-03-08"},
                {"flight_number": "LF119", "flight_date": "2026-03-09"},
            ],
            "amount_usd": 60, "fee_usd": 0, "method_number": 1,
        },
        shown={"flights": NEXT_DAY},
        yes="yes, March 8 please",
        facts={"flight_date": "2026-03-08", "seat_number": None},
    ),
    Case(
        kind="cancellation",
        tool=quote_cancellation,
        arguments={"reason": "change_of_plan"},
        summary=(
            "Cancel the whole booking, LF118 on 2026-03-07 and LF119 on 2026-03-09 for Ada Okafor and Ben Okafor, with "
            "a refund of $800 within 5 to 7 days to the original payment, the card ending in 4242"
        ),
        price_usd=-800,
        query="cancel_reservation",
        change={"refund_usd": 800},
        shown={"refund_usd": 800},
        yes="please cancel it",
        booking={"created_at": NOW - timedelta(hours=23)},
        facts={"seat_number": None},
    ),
    Case(
        kind="bags",
        tool=quote_bags,
        arguments={"additional_bags": 2, "payment_method": 2},
        summary=(
            "Add 2 checked bags to the booking, 3 in all, for $50 extra, charged to the gift card with $150 on it"
        ),
        price_usd=50,
        query="add_bags",
        change={"bags": 2, "amount_usd": 50, "method_number": 2},
        shown={"checked_bags": 3},
        yes="ok, two bags with my gift card",
    ),
    Case(
        kind="passenger_correction",
        tool=quote_passenger_correction,
        arguments={"passenger_name": "Ada Okafor", "given_name": "Ada", "surname": "Okafoor"},
        summary="Correct the name of the passenger Ada Okafor to Ada Okafoor at no extra charge",
        price_usd=0,
        query="correct_passenger",
        change={"passenger_number": 1, "given_name": "Ada", "surname": "Okafoor"},
        shown={"passenger_name": "Ada Okafoor"},
        facts={"passenger_name": "Ada Okafoor"},
    ),
    Case(
        kind="cabin_change",
        tool=quote_cabin_change,
        arguments={"cabin": "business"},
        summary=(
            f"Move the booking from economy to business for 2 passengers on all flights for $1200 extra, {CARD_WORDS}"
        ),
        price_usd=1200,
        query="change_cabin",
        change={"cabin": "business", "amount_usd": 1200, "method_number": 1},
        shown={"cabin": "business"},
        yes="Upgrade us please.",
    ),
    Case(
        kind="compensation",
        tool=quote_compensation,
        arguments={"complaint": "cancelled_flight"},
        summary="Give Ada Okafor a certificate of $200 for the cancelled flight",
        price_usd=0,
        query="issue_certificate",
        change={"amount_usd": 200, "reason": "cancelled_flight"},
        shown={"certificate_usd": 200},
        booking={"insured": True, "segments": (replace(OUT, status="cancelled"), BACK)},
    ),
]  # fmt: skip


def by_kind(kind: str) -> Case:
    return next(case for case in CASES if case.kind == kind)


def airline_with(reservation: Reservation) -> MemoryAirline:
    dearer = later(flight_of(OUT), 24, fares=(Fare("economy", 5, OUT.price_usd + 30),))
    return MemoryAirline(reservation, flights=(dearer, later(flight_of(BACK))))


def turn_for(case: Case, **booking: Any) -> TurnContext:
    turn = make_verified_turn(text="please do something")
    turn.airline.compensation_asked = True
    return replace(turn, backend=airline_with(replace(RESERVATION, **{**case.booking, **booking})))


def backend_of(turn: TurnContext) -> MemoryAirline:
    assert isinstance(turn.backend, MemoryAirline)
    return turn.backend


def quote_of(turn: TurnContext) -> Quote:
    assert turn.airline.quote is not None
    return turn.airline.quote


async def quoted(case: Case) -> tuple[TurnContext, str]:
    turn = turn_for(case)
    answer = await call(case.tool, turn, **case.arguments)
    return turn, answer["quote"]["quote_id"]


every_case = pytest.mark.parametrize("case", CASES, ids=[case.kind for case in CASES])


def test_every_kind_of_quote_is_tested() -> None:
    assert {case.tool.name for case in CASES} == {tool.name for tool in QUOTE_TOOLS} - {"confirm_quote"}


@every_case
async def test_a_quote_says_exactly_what_is_offered_and_changes_nothing(case: Case) -> None:
    turn = turn_for(case)

    answer = await call(case.tool, turn, **case.arguments)

    assert answer == {
        "ok": True,
        "quote": {
            "quote_id": quote_of(turn).quote_id,
            "kind": case.kind,
            "summary": case.summary,
            "price_usd": case.price_usd,
        },
    }
    assert turn.effects == []
    assert quote_of(turn).expires_at == NOW + timedelta(minutes=30)


@every_case
async def test_a_yes_in_a_later_message_stages_the_effect_under_the_calls_id(case: Case) -> None:
    turn, quote_id = await quoted(case)
    turn = next_turn(turn, case.yes)

    answer = await call(confirm_quote, turn, quote_id=quote_id)

    (effect,) = turn.effects
    assert (effect.query, effect.rows) == (case.query, 1)
    details = effect.parameters.pop("details")
    assert isinstance(details, dict)
    assert not {"Ada", "Okafor", "4242"} & set(str(details).split())
    assert effect.parameters == {
        "reservation_id": 7,
        "version": 3,
        "conversation_id": "c1",
        "tool_call_id": "call_1",
        **case.change,
    }
    summary = answer.pop("summary")
    assert summary.endswith(".")
    assert answer == {"ok": True, "kind": case.kind, "price_usd": case.price_usd, **case.shown}
    assert (turn.airline.quote, turn.airline.issue_resolved, turn.airline.refusals) == (None, True, 0)
    assert {name: getattr(turn.airline, name) for name in case.facts} == case.facts


@every_case
async def test_a_quote_is_not_confirmed_in_the_turn_that_made_it(case: Case) -> None:
    turn, quote_id = await quoted(case)

    answer = await call(confirm_quote, replace(turn, text=case.yes), quote_id=quote_id)

    assert answer["refusal"] == "not_yet_confirmed"
    assert turn.effects == []


@every_case
@pytest.mark.parametrize("text", ["no thanks", "how much is it?", "yes, but use another card", "thank you", "hm"])
async def test_a_model_that_takes_no_for_a_yes_is_refused(case: Case, text: str) -> None:
    turn, quote_id = await quoted(case)
    turn = next_turn(turn, text)

    answer = await call(confirm_quote, turn, quote_id=quote_id)

    assert answer["refusal"] == "not_yet_confirmed"
    assert turn.effects == []
    assert turn.airline.quote is not None


@every_case
async def test_a_booking_changed_since_is_offered_afresh(case: Case) -> None:
    turn, quote_id = await quoted(case)
    backend_of(turn).change(version=4)
    turn = next_turn(turn, case.yes)

    answer = await call(confirm_quote, turn, quote_id=quote_id)

    assert answer["refusal"] == "quote_expired"
    assert case.summary in answer["message"]
    assert turn.effects == []
    assert answer["quote"]["quote_id"] == quote_of(turn).quote_id != quote_id


@every_case
async def test_a_quote_expires_after_its_minutes_and_not_before(case: Case) -> None:
    turn, quote_id = await quoted(case)
    in_time = next_turn(turn, case.yes, now=NOW + timedelta(minutes=30) - timedelta(seconds=1))
    late = next_turn(turn, case.yes, now=NOW + timedelta(minutes=30))

    assert (await call(confirm_quote, in_time, quote_id=quote_id))["ok"]
    assert (await call(confirm_quote, late, quote_id=quote_id))["refusal"] == "quote_expired"
    assert late.effects == []


@every_case
async def test_a_quote_is_confirmed_once(case: Case) -> None:
    turn, quote_id = await quoted(case)
    turn = next_turn(turn, case.yes)

    await call(confirm_quote, turn, quote_id=quote_id)
    again = await call(confirm_quote, turn, quote_id=quote_id)

    assert again["refusal"] == "no_such_quote"
    assert len(turn.effects) == 1


@every_case
async def test_a_turn_run_again_makes_the_same_quote(case: Case) -> None:
    _, first = await quoted(case)
    _, again = await quoted(case)

    assert first == again


@every_case
async def test_nothing_is_quoted_beside_a_change_that_is_being_made(case: Case) -> None:
    turn = turn_for(case)
    turn.effects.append(Effect("add_bags", {}, "bags"))

    answer = await call(case.tool, turn, **case.arguments)

    assert answer["refusal"] == "one_at_a_time"
    assert turn.airline.refusals == 0


@every_case
async def test_a_quote_of_an_earlier_release_is_no_longer_open(case: Case) -> None:
    turn = turn_for(case)
    turn.airline.quote = Quote(
        quote_id="q_1", kind=case.kind, details={"to_seat": "6A"}, price_usd=0, made_in_turn=0, expires_at=NOW
    )

    assert (await call(confirm_quote, turn, quote_id="q_1"))["refusal"] == "no_such_quote"


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
