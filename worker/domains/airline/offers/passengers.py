"""Offer to correct a passenger's name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.conversation.refusal import Refusal
from worker.domains.airline.offers.offer import Offer
from worker.domains.airline.rules.identity import find_passenger
from worker.domains.airline.rules.passengers import check_correction

if TYPE_CHECKING:
    from worker.conversation.context import TurnContext
    from worker.domains.airline.offers.offer import Request
    from worker.domains.airline.records.booking import Booking


async def offer_correction(turn: TurnContext, booking: Booking, request: Request) -> Offer | Refusal:
    """Offer to write the passenger `passenger_name` as `given_name` and `surname`."""
    reservation = booking.reservation
    passenger = find_passenger(reservation, request["passenger_name"])
    if passenger is None:
        names = " and ".join(p.name for p in reservation.passengers)
        return Refusal(
            "other_booking", f"Nobody of that name travels on your booking. On it are {names}. Whose name is wrong?"
        )
    new_name = (request["given_name"], request["surname"])
    refusal = check_correction(reservation, passenger, new_name, turn.now)
    if refusal:
        return refusal
    written = " ".join(new_name)
    speaks = passenger.number == booking.passenger.number
    return Offer(
        summary=f"Correct the name of the passenger {passenger.name} to {written} at no extra charge",
        done=f"The passenger's name is now {written}.",
        price_usd=0,
        query="correct_passenger",
        change={"passenger_number": passenger.number, "given_name": new_name[0], "surname": new_name[1]},
        request=request,
        new_terms=frozenset({f"name {written.lower()}"}),
        ledger={"passenger_number": passenger.number},
        facts={"passenger_name": written} if speaks else {},
        shown={"passenger_name": written},
    )
