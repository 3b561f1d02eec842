"""Protocols of the airline's systems, and the plain data that they give to the tools.

Amounts are whole US dollars.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal, Protocol, cast

from worker.conversation.effects import EffectStore

if TYPE_CHECKING:
    from datetime import date, datetime

    from worker.conversation.context import TurnContext


Cabin = Literal["basic_economy", "economy", "business"]
FlightStatus = Literal["available", "on_time", "delayed", "flying", "landed", "cancelled"]
Membership = Literal["regular", "silver", "gold"]
TripType = Literal["one_way", "round_trip"]
PaymentKind = Literal["card", "gift_card", "certificate"]

DELAYED_STATUS_HOLDS = timedelta(hours=24)
"""How long after its time of departure, the new one where it is known, a flight is still believed to be delayed."""


@dataclass(frozen=True, slots=True)
class PaymentMethod:
    """One way a customer pays: a card shows its last four digits, the others have a balance."""

    number: int
    kind: PaymentKind
    last_four: str | None
    balance_usd: int | None


@dataclass(frozen=True, slots=True)
class Customer:
    """Who booked. Their addresses stay in the store."""

    customer_id: int
    given_name: str
    surname: str
    membership: Membership
    payment_methods: tuple[PaymentMethod, ...]


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment of a reservation, or a refund: a negative amount. `what` says what for: fare, bags, seat."""

    kind: PaymentKind
    amount_usd: int
    what: str
    method_number: int | None  # of the customer's payment methods; None where it is not on file


@dataclass(frozen=True, slots=True)
class Passenger:
    """One traveller of a reservation; `number` counts 1, 2, 3 … within it."""

    number: int
    given_name: str
    surname: str
    born_on: date

    @property
    def name(self) -> str:
        """Write the name as one says it."""
        return f"{self.given_name} {self.surname}"


@dataclass(frozen=True, slots=True)
class Segment:
    """One flight of a reservation; `number` counts 1, 2, 3 … in the order flown."""

    number: int
    flight_number: str
    flight_date: date  # local date of departure
    origin: str
    destination: str
    departs_at: datetime  # aware
    arrives_at: datetime  # aware
    departs_local: str  # YYYY-MM-DD HH:MM at the origin, as customers read it
    arrives_local: str  # the same at the destination
    status: FlightStatus
    price_usd: int  # the fare each passenger paid for it


@dataclass(frozen=True, slots=True)
class SeatTaken:
    """Which seat a passenger has on a flight, and what was paid for it (US dollars)."""

    flight_number: str
    flight_date: date
    passenger_number: int
    seat_number: str
    price_usd: int


@dataclass(frozen=True, slots=True)
class FlightGivenUp:
    """A flight that a booking was changed away from, and the status it had then."""

    flight_number: str
    flight_date: date
    status: FlightStatus


@dataclass(frozen=True, slots=True)
class Reservation:
    """One booking; its passengers and segments are never empty, and segments stand in the order flown."""

    reservation_id: int
    version: int  # advances with every change: an effect names the one its offer was made for
    confirmation_number: str
    status: Literal["booked", "cancelled"]
    trip_type: TripType
    cabin: Cabin
    checked_bags: int
    insured: bool
    created_at: datetime  # aware
    customer: Customer
    passengers: tuple[Passenger, ...]
    segments: tuple[Segment, ...]
    seats: tuple[SeatTaken, ...]
    payments: tuple[Payment, ...]
    certificates_usd: int  # given as compensation so far
    changed_at: datetime | None  # aware; of the last change of its flights
    given_up: tuple[FlightGivenUp, ...]  # in those changes

    def seat_of(self, passenger: Passenger, segment: Segment) -> SeatTaken | None:
        """Return the seat a passenger has on a segment, if one is assigned."""
        wanted = (segment.flight_number, segment.flight_date, passenger.number)
        for seat in self.seats:
            if (seat.flight_number, seat.flight_date, seat.passenger_number) == wanted:
                return seat
        return None


@dataclass(frozen=True, slots=True)
class Fare:
    """What a cabin of a flight costs each passenger, and how many seats are left to sell."""

    cabin: Cabin
    seats_left: int
    price_usd: int


@dataclass(frozen=True, slots=True)
class Flight:
    """One flight of one day; the times are as in a `Segment`."""

    flight_number: str
    flight_date: date
    origin: str
    destination: str
    departs_at: datetime
    arrives_at: datetime
    departs_local: str
    arrives_local: str
    status: FlightStatus
    fares: tuple[Fare, ...]


Connection = tuple[Flight, ...]
"""One flight, or two with a stop between them."""


@dataclass(frozen=True, slots=True)
class Airport:
    """An airport: its IATA code and the city as customers call it."""

    code: str
    city: str


class AirlineBackend(EffectStore, Protocol):
    """Reach the airline's reservation system. A tool reads; what it writes is staged as an effect and applied later."""

    async def find_reservation(self, tenant: str, confirmation_number: str) -> Reservation | None:
        """Find a reservation by its confirmation number: six characters, upper case."""

    async def find_reservations_of(self, tenant: str, address: str) -> tuple[Reservation, ...]:
        """Find the reservations of the customer with this e-mail address or E.164 phone number, at most five.

        Those still to be flown come first, the next departure before later ones.
        """

    async def find_taken_seats(self, tenant: str, flight_number: str, flight_date: date) -> frozenset[str]:
        """Find the seats that somebody has on one flight."""

    async def search_flights(self, tenant: str, origin: str, destination: str, day: date) -> tuple[Connection, ...]:
        """Find what flies between two airports (codes) on a day: direct and with one stop, by arrival, at most eight.

        Only flights that are open and have not left; between two of them lie 45 minutes to 6 hours.
        """

    async def find_flight(self, tenant: str, flight_number: str, day: date) -> Flight | None:
        """Find one flight of a day, whatever its status."""

    async def find_airports(self, tenant: str) -> tuple[Airport, ...]:
        """Return every airport, by code."""


def backend_of(turn: TurnContext) -> AirlineBackend:
    """Return the airline's records to a tool of this domain; the pipeline knows only where effects are applied."""
    return cast("AirlineBackend", turn.backend)
