"""Say what the tools need of the airline's systems: plain data, and the two protocols that give it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from datetime import date, datetime

Cabin = Literal["basic_economy", "economy", "business"]
FlightStatus = Literal["available", "on_time", "delayed", "flying", "landed", "cancelled"]


@dataclass(frozen=True, slots=True)
class Passenger:
    """Hold one traveller of a reservation; `number` counts 1, 2, 3 … within it."""

    number: int
    given_name: str
    surname: str

    @property
    def name(self) -> str:
        """Write the name as one says it."""
        return f"{self.given_name} {self.surname}"


@dataclass(frozen=True, slots=True)
class Segment:
    """Hold one flight of a reservation."""

    flight_number: str
    flight_date: date  # local date of departure
    origin: str
    destination: str
    departs_at: datetime  # aware
    departs_local: str  # YYYY-MM-DD HH:MM at the origin, as customers read it
    status: FlightStatus


@dataclass(frozen=True, slots=True)
class SeatTaken:
    """Hold which seat a passenger has on a flight, and what was paid for it (US dollars)."""

    flight_number: str
    flight_date: date
    passenger_number: int
    seat_number: str
    price_usd: int


@dataclass(frozen=True, slots=True)
class Reservation:
    """Hold one booking; its passengers and segments are never empty, and segments stand in the order flown."""

    reservation_id: int
    confirmation_number: str
    status: Literal["booked", "cancelled"]
    cabin: Cabin
    passengers: tuple[Passenger, ...]
    segments: tuple[Segment, ...]
    seats: tuple[SeatTaken, ...]

    def seat_of(self, passenger: Passenger, segment: Segment) -> SeatTaken | None:
        """Give the seat a passenger has on a segment, if one is assigned."""
        wanted = (segment.flight_number, segment.flight_date, passenger.number)
        for seat in self.seats:
            if (seat.flight_number, seat.flight_date, seat.passenger_number) == wanted:
                return seat
        return None


@dataclass(frozen=True, slots=True)
class Passage:
    """Hold one section of an article that answers a question; a greater `rank` answers it better."""

    article: str
    section: str
    slug: str
    text: str
    rank: float


class AirlineBackend(Protocol):
    """Look things up in the airline's reservation system. Writes are not here: tools stage them as effects."""

    async def find_reservation(self, tenant: str, confirmation_number: str) -> Reservation | None:
        """Find a reservation by its confirmation number: six characters, upper case."""

    async def find_taken_seats(self, tenant: str, flight_number: str, flight_date: date) -> frozenset[str]:
        """Find the seats that somebody has on one flight."""


class KnowledgeBase(Protocol):
    """Search what the airline publishes."""

    async def search(self, tenant: str, question: str, limit: int) -> list[Passage]:
        """Give the passages that answer a question, best first; none when nothing is about it."""
