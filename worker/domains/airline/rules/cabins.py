"""Decide about moving a whole booking to another cabin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.conversation.refusal import Refusal
from worker.domains.airline.rules.flights import OPEN_STATUSES, check_booked, check_none_flown

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from worker.domains.airline.records.backend import Cabin, Fare, Flight, Reservation


def cabin_name(cabin: Cabin) -> str:
    """Write a cabin as one says it."""
    return cabin.replace("_", " ")


def fare_in(flight: Flight, cabin: Cabin) -> Fare | None:
    """Find the fare of a cabin on a flight; None where the flight does not have that cabin."""
    return next((fare for fare in flight.fares if fare.cabin == cabin), None)


def check_fare(flight: Flight, cabin: Cabin, passengers: int) -> Fare | Refusal:
    """Check whether a flight has seats left in a cabin for everybody."""
    fare = fare_in(flight, cabin)
    if fare is None or fare.seats_left < passengers:
        left = fare.seats_left if fare else 0
        return Refusal(
            "no_seats_left",
            f"Flight {flight.flight_number} on {flight.flight_date.isoformat()} has {left or 'no'} "
            f"seat{'' if left == 1 else 's'} left in {cabin_name(cabin)}; {passengers} needed.",
        )
    return fare


def check_cabin(reservation: Reservation, cabin: Cabin, now: datetime) -> Refusal | None:
    """Return why a booking cannot move to a cabin; all its flights are in one cabin, so none may have been flown."""
    cancelled = check_booked(reservation)
    if cancelled:
        return cancelled
    if cabin == reservation.cabin:
        return Refusal("already_yours", f"This booking is in {cabin_name(cabin)} already.", counts=False)
    flown = check_none_flown(reservation, now, "a change of cabin")
    if flown:
        return flown
    for segment in reservation.segments:
        if segment.status not in OPEN_STATUSES:
            return Refusal(
                "flight_cancelled",
                f"Flight {segment.flight_number} on {segment.flight_date.isoformat()} has been cancelled, so the cabin "
                "cannot be changed before that flight is.",
            )
    return None


def price_of_cabin(reservation: Reservation, cabin: Cabin, flights: Sequence[Flight]) -> int | Refusal:
    """Return the difference in fare for everybody on all flights; negative when the new cabin costs less.

    `flights` are the reservation's, in its order, as they are sold now.
    """
    people = len(reservation.passengers)
    difference_usd = 0
    for segment, flight in zip(reservation.segments, flights, strict=True):
        fare = check_fare(flight, cabin, people)
        if isinstance(fare, Refusal):
            return fare
        difference_usd += fare.price_usd - segment.price_usd
    return difference_usd * people
