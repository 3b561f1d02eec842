"""Book the sample airline's flights: customers, payment methods, and reservations whose payments add up."""

from __future__ import annotations

import json
import string
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from ops.seed.names import GIVEN_NAMES, SURNAMES
from ops.seed.samples import SAMPLES, Sample
from worker.domains.airline.rules.bags import EXTRA_BAG_USD, FREE_BAGS
from worker.domains.airline.rules.seats import SEAT_MAP, read_seat

if TYPE_CHECKING:
    from random import Random

    from ops.seed.network import DailyFlight
    from ops.seed.tables import Leg, SampleAirline
    from worker.domains.airline.records.backend import Cabin, Membership, PaymentKind

CUSTOMERS_COUNT = 500
RESERVATIONS_COUNT = 2_000
INSURANCE_USD = 30
"""For each passenger, when a trip is booked."""

_DAYS_AHEAD = 23  # of departures: the way back is up to a week later
_DAYS_BACK = 2
_BUSY_FLIGHTS = 24  # this many carry most bookings, so that their seat maps look like a real one's
_SEATED_SHARE = 0.85
_FLIGHT_LOOKALIKE_LETTERS = 2

Prices = dict[tuple[str, date, str], int]
"""The price of a flight for each passenger in USD, by flight number, date and cabin."""


@dataclass(frozen=True)
class SampleBooking:
    """One booking to be made; `seats` has one list for each flight, in the order of the passengers."""

    number: str
    customer_id: int
    cabin: Cabin
    legs: list[Leg]
    people: tuple[tuple[str, str], ...]
    seats: list[list[str | None]]
    insured: bool
    cancelled: bool
    days_ago: int
    checked_bags: int
    paid_usd: dict[int, int]  # with other payment methods than the card: by their number


class Booker:
    """Adds customers and their bookings to a sample airline, keeping track of ids, seats and places taken."""

    def __init__(self, airline: SampleAirline, prices: Prices, today: date, random: Random) -> None:
        self.places: Counter[tuple[str, date, str]] = Counter()
        """Taken by the passengers of bookings, by flight, date and cabin."""
        self._airline = airline
        self._prices = prices
        self._today = today
        self._random = random
        self._flies: dict[Leg, str] = {(row[0], row[1]): row[2] for row in airline.flight_date}
        self._taken: dict[Leg, set[str]] = {}
        self._numbers = {sample.confirmation_number for sample in SAMPLES}
        self._customers: dict[str, int] = {}  # of the samples, by confirmation number
        self._kinds: dict[int, dict[int, PaymentKind]] = {}
        self._memberships: dict[int, Membership] = {}

    def book_sample(self, sample: Sample) -> None:
        """Book one of the fixed samples."""
        customer = self._customers.get(sample.customer_of or "")
        if customer is None:
            customer = self._add_customer(*sample.passengers[0], sample.membership)
            for number, method in enumerate(sample.methods, 2):
                self._add_payment_method(customer, number, method.kind, method.balance_usd)
        self._customers[sample.confirmation_number] = customer
        self._book(
            SampleBooking(
                number=sample.confirmation_number,
                customer_id=customer,
                cabin=sample.cabin,
                legs=[(leg.flight_number, self._today + timedelta(days=leg.days_ahead)) for leg in sample.flights],
                people=sample.passengers,
                seats=[list(leg.seats) for leg in sample.flights],
                insured=sample.insured,
                cancelled=sample.cancelled,
                days_ago=sample.booked_days_ago,
                checked_bags=sample.checked_bags,
                paid_usd={number: method.paid_usd for number, method in enumerate(sample.methods, 2)},
            ),
            one_way=sample.one_way,
        )

    def add_customers(self, count: int) -> None:
        """Add customers without a booking yet; one in five has a gift card or a certificate beside the card."""
        for _ in range(count):
            membership: Membership = self._random.choices(("regular", "silver", "gold"), (75, 18, 7))[0]
            customer = self._add_customer(self._random.choice(GIVEN_NAMES), self._random.choice(SURNAMES), membership)
            if self._random.random() < 0.2:  # noqa: PLR2004 - one in five
                kind: PaymentKind = self._random.choice(("gift_card", "certificate"))
                self._add_payment_method(customer, 2, kind, self._random.randrange(50, 400, 25))

    def book_any(self, flights: list[DailyFlight]) -> None:
        """Make one booking, on a busy flight more often than not."""
        draw = self._random
        pair = draw.randrange(0, _BUSY_FLIGHTS if draw.random() < 0.6 else len(flights), 2)  # noqa: PLR2004 - a share
        day = self._today + timedelta(days=draw.randrange(-_DAYS_BACK, _DAYS_AHEAD))
        legs = [(flights[pair].number, day)]
        if draw.random() < 0.5:  # noqa: PLR2004 - half of them come back
            legs.append((flights[pair + 1].number, day + timedelta(days=draw.randrange(1, 8))))
        customer_id, given_name, surname = draw.choice(self._airline.customer)[:3]
        companions = draw.choices((0, 1, 2, 3, 4), (60, 24, 9, 4, 3))[0]
        people = ((given_name, surname), *((draw.choice(GIVEN_NAMES), surname) for _ in range(companions)))
        cabin: Cabin = draw.choices(("basic_economy", "economy", "business"), (25, 60, 15))[0]
        cancelled = draw.random() < 0.05  # noqa: PLR2004 - one in twenty
        just_now = draw.random() < 0.04 and day > self._today  # noqa: PLR2004 - a share
        others = [number for number in self._kinds[customer_id] if number > 1]
        self._book(
            SampleBooking(
                number=self._new_number(),
                customer_id=customer_id,
                cabin=cabin,
                legs=legs,
                people=people,
                seats=[[] if cancelled else self._any_seats(leg, cabin, len(people)) for leg in legs],
                insured=draw.random() < 0.2,  # noqa: PLR2004 - one in five
                cancelled=cancelled,
                days_ago=0 if just_now else draw.randrange(3, 90),
                checked_bags=draw.randrange(0, 3),
                paid_usd=dict.fromkeys(others, draw.randrange(25, 75, 5)) if draw.random() < 0.5 else {},  # noqa: PLR2004 - half
            ),
            one_way=len(legs) == 1,
        )

    def _add_customer(self, given_name: str, surname: str, membership: Membership) -> int:
        customer_id = len(self._airline.customer) + 1
        born_on = date(1945, 1, 1) + timedelta(days=self._random.randrange(0, 60 * 365))
        phone = f"+1{self._random.choice(('202', '303', '404', '512', '617'))}555{100 + customer_id:04d}"
        email = f"customer{customer_id}@example.com"
        self._airline.customer.append((customer_id, given_name, surname, email, phone, born_on, membership))
        self._memberships[customer_id] = membership
        self._airline.payment_method.append((customer_id, 1, "card", f"{self._random.randrange(10_000):04d}", None))
        self._kinds[customer_id] = {1: "card"}
        return customer_id

    def _add_payment_method(self, customer_id: int, number: int, kind: PaymentKind, balance_usd: int) -> None:
        self._airline.payment_method.append((customer_id, number, kind, None, balance_usd))
        self._kinds[customer_id][number] = kind

    def _book(self, booking: SampleBooking, *, one_way: bool) -> None:
        reservation_id = len(self._airline.reservation) + 1
        people = len(booking.people)
        for number, (given_name, surname) in enumerate(booking.people, 1):
            born_on = date(1950, 1, 1) + timedelta(days=self._random.randrange(0, 60 * 365))
            self._airline.reservation_passenger.append((reservation_id, number, given_name, surname, born_on))
        for number, leg in enumerate(booking.legs, 1):
            price = self._prices[(*leg, booking.cabin)]
            self._airline.reservation_segment.append((reservation_id, number, *leg, price))
            self.places[(*leg, booking.cabin)] += 0 if booking.cancelled else people
        seats_usd = sum(
            self._take_seat(reservation_id, passenger, leg, seat)
            for leg, seats in zip(booking.legs, booking.seats, strict=True)
            for passenger, seat in enumerate(seats, 1)
            if seat is not None
        )
        created_at = datetime.combine(self._today - timedelta(days=booking.days_ago), time(0, 0), UTC)
        self._airline.reservation.append((
            reservation_id,
            booking.number,
            booking.customer_id,
            "one_way" if one_way else "round_trip",
            booking.cabin,
            booking.checked_bags,
            booking.insured,
            json.dumps(self._payments(booking, seats_usd)),
            "cancelled" if booking.cancelled else "booked",
            created_at,
        ))  # fmt: skip

    def _payments(self, booking: SampleBooking, seats_usd: int) -> list[dict[str, str | int]]:
        """Return a booking's payments: a part of the fare by other methods of the customer, the rest by card.

        A cancelled booking in business or with insurance was paid back.
        """
        people = len(booking.people)
        fare_usd = sum(self._prices[(*leg, booking.cabin)] for leg in booking.legs) * people
        free_bags = FREE_BAGS[self._memberships[booking.customer_id]][booking.cabin] * people
        paid = [(number, min(usd, fare_usd), "fare") for number, usd in booking.paid_usd.items()]
        paid += [
            (1, fare_usd - sum(usd for _, usd, _ in paid), "fare"),
            (1, INSURANCE_USD * people * booking.insured, "insurance"),
            (1, EXTRA_BAG_USD * max(0, booking.checked_bags - free_bags), "bags"),
            (1, seats_usd, "seat"),
        ]
        if booking.cancelled and (booking.insured or booking.cabin == "business"):
            paid += [(number, -usd, "refund") for number, usd, _ in paid]
        kinds = self._kinds[booking.customer_id]
        return [
            {"kind": kinds[number], "amount_usd": usd, "for": what, "method_number": number}
            for number, usd, what in paid
            if usd
        ]

    def _any_seats(self, leg: Leg, cabin: str, people: int) -> list[str | None]:
        if self._flies[leg] == "cancelled":
            return []
        seats: list[str | None] = []
        for _ in range(people):
            seat = self._free_seat(leg, cabin, seats) if self._random.random() < _SEATED_SHARE else None
            seats.append(seat)
        return seats

    def _free_seat(self, leg: Leg, cabin: str, chosen: list[str | None]) -> str:
        taken = self._taken.get(leg, set()) | set(chosen)
        free = [seat for seat in SEAT_MAP if seat.number not in taken and (seat.is_premium == (cabin == "business"))]
        return self._random.choice(free or [seat for seat in SEAT_MAP if seat.number not in taken]).number

    def _take_seat(self, reservation: int, passenger: int, leg: Leg, seat_number: str) -> int:
        """Assign a seat to a passenger; return its price in USD."""
        seat = read_seat(seat_number)
        if seat is None:
            raise ValueError(f"no seat {seat_number} on the map")
        self._taken.setdefault(leg, set()).add(seat_number)
        self._airline.seat.append((*leg, seat_number, reservation, passenger, seat.price_usd))
        return seat.price_usd

    def _new_number(self) -> str:
        """Make a confirmation number with both letters and digits, unlike a flight number (`LF1234`)."""
        while True:
            number = "".join(self._random.choices(string.ascii_uppercase + string.digits, k=6))
            mixed = any(c.isdigit() for c in number) and any(c.isalpha() for c in number)
            like_flight = number[:_FLIGHT_LOOKALIKE_LETTERS].isalpha() and number[_FLIGHT_LOOKALIKE_LETTERS:].isdigit()
            if mixed and not like_flight and number not in self._numbers:
                self._numbers.add(number)
                return number
