"""Offer another cabin for a whole booking."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.conversation.refusal import Refusal
from worker.domains.airline.offers.offer import Offer, settle
from worker.domains.airline.records.backend import backend_of
from worker.domains.airline.rules.cabins import cabin_name, check_cabin, price_of_cabin
from worker.domains.airline.rules.terms import terms_of

if TYPE_CHECKING:
    from worker.conversation.context import TurnContext
    from worker.domains.airline.offers.offer import Request
    from worker.domains.airline.records.booking import Booking


async def offer_cabin(turn: TurnContext, booking: Booking, request: Request) -> Offer | Refusal:
    """Offer the `cabin` for everybody on all flights, paid with `payment_method` if one is named."""
    reservation, cabin = booking.reservation, request["cabin"]
    refusal = check_cabin(reservation, cabin, turn.now)
    if refusal:
        return refusal
    flights = []
    for segment in reservation.segments:
        flight = await backend_of(turn).find_flight(turn.key.tenant, segment.flight_number, segment.flight_date)
        if flight is None:
            return Refusal("no_such_flight", f"Flight {segment.flight_number} is no longer sold; a colleague can help.")
        flights.append(flight)
    difference_usd = price_of_cabin(reservation, cabin, flights)
    if isinstance(difference_usd, Refusal):
        return difference_usd
    price = settle(reservation, request.get("payment_method"), difference_usd)
    if isinstance(price, Refusal):
        return price
    people = len(reservation.passengers)
    everybody = f"for {people} passenger{'' if people == 1 else 's'} on all flights"
    return Offer(
        summary=(
            f"Move the booking from {cabin_name(reservation.cabin)} to {cabin_name(cabin)} {everybody} {price.words}"
        ),
        done=f"The booking is now in {cabin_name(cabin)} {everybody} {price.words}.",
        price_usd=price.usd,
        query="change_cabin",
        change={"cabin": cabin, "amount_usd": price.usd, "method_number": price.method_number},
        request=request,
        new_terms=terms_of(cabin_name(cabin)),
        ledger={"from": reservation.cabin, "to": cabin},
        shown={"cabin": cabin},
    )
