"""Offer other flights in the place of a booking's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.conversation.refusal import Refusal
from worker.domains.airline.offers.offer import Offer, settle
from worker.domains.airline.records.backend import backend_of
from worker.domains.airline.rules.cabins import cabin_name
from worker.domains.airline.rules.flight_changes import check_changeable, price_of_change
from worker.domains.airline.rules.flights import read_day, read_flight_number
from worker.domains.airline.rules.payment import refund_method
from worker.domains.airline.rules.terms import terms_of

if TYPE_CHECKING:
    from worker.conversation.context import TurnContext
    from worker.domains.airline.offers.offer import Price, Request
    from worker.domains.airline.records.backend import Flight, Reservation
    from worker.domains.airline.records.booking import Booking
    from worker.domains.airline.rules.flight_changes import ChangePrice


async def offer_flights(turn: TurnContext, booking: Booking, request: Request) -> Offer | Refusal:
    """Offer `flights`, the complete new set in the order flown, paid with `payment_method` if one is named."""
    reservation = booking.reservation
    refusal = check_changeable(reservation, len(request["flights"]))
    if refusal:
        return refusal
    flights = []
    for leg in request["flights"]:
        flight = await _find(turn, leg["flight_number"], leg["date"])
        if isinstance(flight, Refusal):
            return flight
        flights.append(flight)
    cost = price_of_change(reservation, flights, turn.now)
    if isinstance(cost, Refusal):
        return cost
    price = settle(reservation, request.get("payment_method"), cost.total_usd)
    return price if isinstance(price, Refusal) else _offer(reservation, flights, cost, price, request)


async def _find(turn: TurnContext, flight_number: str, date: str) -> Flight | Refusal:
    day = read_day(date)
    if isinstance(day, Refusal):
        return day
    number = read_flight_number(flight_number)
    found = await backend_of(turn).find_flight(turn.key.tenant, number, day) if number else None
    if found is None:
        return Refusal("no_such_flight", f"There is no flight {flight_number[:10]} on {day.isoformat()}.")
    return found


def _offer(reservation: Reservation, flights: list[Flight], cost: ChangePrice, price: Price, request: Request) -> Offer:
    booked = {(s.flight_number, s.flight_date) for s in reservation.segments}
    wanted = {(f.flight_number, f.flight_date) for f in flights}
    old = [s for s in reservation.segments if (s.flight_number, s.flight_date) not in wanted]
    new = [f for f in flights if (f.flight_number, f.flight_date) not in booked]
    before = " and ".join(f"{s.flight_number} on {s.flight_date.isoformat()}" for s in old) or "none"
    after = " and ".join(f"{f.flight_number}, departing {f.departs_local}, arriving {f.arrives_local}" for f in new)
    if not new:
        after = "the other flights of the booking alone"
    # A cheaper flight may pay for the fee: nothing is due then, but money still moves back and forth.
    method = price.method or (refund_method(reservation) if cost.difference_usd else None)
    fee = f", a change fee of ${cost.fee_usd} included" if cost.fee_usd else ""
    people = len(reservation.passengers)
    travellers = "1 passenger" if people == 1 else f"{people} passengers"
    first = (new or flights)[0]
    return Offer(
        summary=(
            f"Change {before} to {after} in {cabin_name(reservation.cabin)} for {travellers} {price.words}{fee}; seats "
            "on the old flights are given up"
        ),
        done=f"The booking is now on {after} {price.words}. New seats can be chosen.",
        price_usd=price.usd,
        query="change_flights",
        change={
            "segments": [{"flight_number": f.flight_number, "flight_date": f.flight_date.isoformat()} for f in flights],
            "amount_usd": price.usd,
            "fee_usd": cost.fee_usd,
            "method_number": method.number if method else None,
        },
        request=request,
        waived_usd=cost.waived_usd,
        new_terms=terms_of(after),
        ledger={
            "from": [f"{s.flight_number} {s.flight_date.isoformat()}" for s in old],
            "to": [f"{f.flight_number} {f.flight_date.isoformat()}" for f in new],
            "fee_usd": cost.fee_usd,
        },
        facts={
            "flight_number": first.flight_number,
            "flight_date": first.flight_date.isoformat(),
            "seat_number": None,
        },
        shown={"flights": [{"flight_number": f.flight_number, "date": f.flight_date.isoformat()} for f in flights]},
    )
