"""List one change of each kind: what is asked for, what is quoted, and the effect that a yes stages."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tests.unit.airline_stand_ins import (
    BACK,
    NOW,
    OUT,
    RESERVATION,
    MemoryAirline,
    call,
    flight_of,
    later,
    make_verified_turn,
)
from worker.conversation.context import Quote
from worker.domains.airline.records.backend import Fare, Reservation
from worker.domains.airline.tools.quotes import (
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

    from worker.conversation.context import TurnContext

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
