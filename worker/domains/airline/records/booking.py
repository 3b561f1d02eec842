"""The part of a booking that a tool acts on."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from worker.domains.airline.records.backend import Passenger, Reservation, SeatTaken, Segment


class Booking(NamedTuple):
    """What a tool acts on: the reservation, who of it speaks, which flight, and the seat there."""

    reservation: Reservation
    passenger: Passenger
    segment: Segment
    seat: SeatTaken | None
