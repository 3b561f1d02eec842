"""Offer a seat."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.conversation.refusal import Refusal
from worker.domains.airline.offers.offer import Offer, settle
from worker.domains.airline.records.backend import backend_of
from worker.domains.airline.rules.flights import check_open
from worker.domains.airline.rules.identity import find_passenger
from worker.domains.airline.rules.names import letters_of
from worker.domains.airline.rules.seats import check_seat, choose_seats, due_for
from worker.domains.airline.rules.terms import terms_of

if TYPE_CHECKING:
    from worker.conversation.context import TurnContext
    from worker.domains.airline.offers.offer import Request
    from worker.domains.airline.records.booking import Booking
    from worker.domains.airline.rules.seats import Seat


async def offer_seat(turn: TurnContext, booking: Booking, request: Request) -> Offer | Refusal:
    """Offer the seat `seat_number`, or the best free one for the `preference`, to the passenger of that name.

    Without a name it is for the passenger who speaks.
    """
    speaker = booking.passenger
    moved = _seated(booking, request.get("passenger_name"))
    if isinstance(moved, Refusal):
        return moved
    booking, segment = moved, booking.segment
    closed = check_open(booking.reservation, segment, turn.now)
    if closed:
        return closed
    taken = await backend_of(turn).find_taken_seats(turn.key.tenant, segment.flight_number, segment.flight_date)
    seat = _choose(booking, request, taken)
    if isinstance(seat, Refusal):
        return seat
    price = settle(booking.reservation, None, due_for(seat, booking.seat))
    if isinstance(price, Refusal):
        return price
    before = booking.seat.seat_number if booking.seat else None
    flight = f"flight {segment.flight_number} on {segment.flight_date.isoformat()}"
    where = f"{'premium ' if seat.is_premium else ''}{seat.kind} seat {seat.number} on {flight}"
    return Offer(
        summary=f"Move {booking.passenger.name}{f' from {before}' if before else ''} to {where} {price.words}",
        done=f"{booking.passenger.name} now has {where} {price.words}.",
        price_usd=price.usd,
        query="move_to_seat",
        change={
            "passenger_number": booking.passenger.number,
            "flight_number": segment.flight_number,
            "flight_date": segment.flight_date.isoformat(),
            "from_seat": before,
            "to_seat": seat.number,
            "price_usd": price.usd,
            "method_number": price.method_number,
        },
        request={
            "seat_number": seat.number,
            "flight_number": segment.flight_number,
            "passenger_name": None if booking.passenger == speaker else booking.passenger.name,
        },
        new_terms=terms_of(seat.number),
        ledger={"from_seat": before, "to_seat": seat.number},
        facts={
            "flight_number": segment.flight_number,
            "flight_date": segment.flight_date.isoformat(),
            **({"seat_number": seat.number} if booking.passenger == speaker else {}),
        },
        shown={"seat_number": seat.number, "flight_number": segment.flight_number},
    )


def _seated(booking: Booking, name: str | None) -> Booking | Refusal:
    """Return the booking with whoever is to be moved: by surname, whole name, or given name alone."""
    if not name:
        return booking
    reservation = booking.reservation
    said = letters_of(name)
    found = [one for one in reservation.passengers if letters_of(one.given_name) == said]
    passenger = found[0] if found else find_passenger(reservation, name)
    if passenger is None:
        names = ", ".join(one.name for one in reservation.passengers)
        return Refusal("no_such_name", f"I find no such passenger on the booking: it holds {names}.", counts=False)
    return booking._replace(passenger=passenger, seat=reservation.seat_of(passenger, booking.segment))


def _choose(booking: Booking, request: Request, taken: frozenset[str]) -> Seat | Refusal:
    if request.get("seat_number"):
        return check_seat(request["seat_number"], taken, booking.seat)
    preference = request.get("preference")
    if preference is None:
        return Refusal(
            "which_seat", "Which seat would you like: window, aisle or middle, or one by number?", counts=False
        )
    free = choose_seats(taken, preference)
    if not free:
        kind = "" if preference == "any" else f"{preference} "
        return Refusal(
            "no_free_seat", f"No {kind}seat is free on flight {booking.segment.flight_number}. Would another kind do?"
        )
    return free[0]
