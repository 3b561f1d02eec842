"""Fill a tenant with the sample airline: the same one for the same seed and day."""

from __future__ import annotations

import json
import string
from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

from psycopg import sql

from ops.seed.names import GIVEN_NAMES, SURNAMES
from ops.seed.network import AIRPORTS, Flight, lay_out_flights
from ops.seed.samples import SAMPLES, Sample
from worker.tools.rules.seats import SEAT_MAP, read_seat

if TYPE_CHECKING:
    import psycopg

CUSTOMERS_COUNT = 500
RESERVATIONS_COUNT = 2_000
DAYS_BACK = 2
DAYS_AHEAD = 30

_CABINS = {"basic_economy": (30, 0.8), "economy": (126, 1.0), "business": (24, 2.6)}  # seats, times the economy price
_BUSY_FLIGHTS = 24  # this many carry most bookings, so that their seat maps look like a real one's
_SEATED_SHARE = 0.85
_FLIGHT_LOOKALIKE_LETTERS = 2

Row = tuple[Any, ...]
Leg = tuple[str, date]


@dataclass(frozen=True, slots=True)
class SeedCounts:
    """Count what was added; all zero when the tenant had flights already."""

    flights: int = 0
    flight_dates: int = 0
    customers: int = 0
    reservations: int = 0
    seats: int = 0


@dataclass(slots=True)
class SampleAirline:
    """Hold the rows of every table, by table name, in an order that foreign keys allow. The tenant is left out."""

    airport: list[Row] = field(default_factory=list)
    flight: list[Row] = field(default_factory=list)
    flight_date: list[Row] = field(default_factory=list)
    fare: list[Row] = field(default_factory=list)
    customer: list[Row] = field(default_factory=list)
    payment_method: list[Row] = field(default_factory=list)
    reservation: list[Row] = field(default_factory=list)
    reservation_segment: list[Row] = field(default_factory=list)
    reservation_passenger: list[Row] = field(default_factory=list)
    seat: list[Row] = field(default_factory=list)


_COLUMNS = {
    "airport": "code city time_zone",
    "flight": "flight_number origin destination departs_at arrives_at arrives_days_later",
    "flight_date": "flight_number flight_date status",
    "fare": "flight_number flight_date cabin seats_left price_usd",
    "customer": "customer_id given_name surname email phone born_on membership",
    "payment_method": "customer_id method_number kind last_four balance_usd",
    "reservation": (
        "reservation_id confirmation_number customer_id trip_type cabin checked_bags insured payments status created_at"
    ),
    "reservation_segment": "reservation_id segment_number flight_number flight_date",
    "reservation_passenger": "reservation_id passenger_number given_name surname born_on",
    "seat": "flight_number flight_date seat_number reservation_id passenger_number price_usd",
}


def seed_airline(connection: psycopg.Connection[Any], tenant: str, today: date, seed: int = 1) -> SeedCounts:
    """Fill an existing tenant with the sample airline, all of it or nothing; does nothing when it has flights already.

    Flights run from `DAYS_BACK` days before `today` to `DAYS_AHEAD` after it.
    """
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('fte.tenant', %s, true)", [tenant])
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('fte seed ' || %s))", [tenant])
        cursor.execute("SELECT FROM flight WHERE tenant_id = %s LIMIT 1", [tenant])
        if cursor.fetchone() is not None:
            return SeedCounts()
        airline = make_airline(today, seed)
        for table in fields(airline):
            _load(cursor, tenant, table.name, getattr(airline, table.name))
    return SeedCounts(
        flights=len(airline.flight),
        flight_dates=len(airline.flight_date),
        customers=len(airline.customer),
        reservations=len(airline.reservation),
        seats=len(airline.seat),
    )


def _load(cursor: psycopg.Cursor[Any], tenant: str, table: str, rows: list[Row]) -> None:
    # PostgreSQL refuses COPY into a table with row-level security, so it goes through one without.
    names = {"table": sql.Identifier(table), "load": sql.Identifier(f"load_{table}")}
    columns = sql.SQL(", ").join(sql.Identifier(column) for column in _COLUMNS[table].split())
    cursor.execute(
        sql.SQL("CREATE TEMPORARY TABLE {load} ON COMMIT DROP AS SELECT {columns} FROM {table} WITH NO DATA").format(
            **names, columns=columns
        )
    )
    with cursor.copy(sql.SQL("COPY {load} FROM STDIN").format(**names)) as copy:
        for row in rows:
            copy.write_row(row)
    cursor.execute(
        sql.SQL("INSERT INTO {table} (tenant_id, {columns}) SELECT %s, {columns} FROM {load}").format(
            **names, columns=columns
        ),
        [tenant],
    )
    cursor.execute(sql.SQL("DROP TABLE {load}").format(**names))  # a second tenant may follow in this transaction


def make_airline(today: date, seed: int = 1) -> SampleAirline:
    """Make every row of the sample airline; the same rows for the same arguments."""
    random = Random(seed)  # noqa: S311 - sample data, not secrets
    airline = SampleAirline(airport=[(a.code, a.city, a.time_zone) for a in AIRPORTS])
    flights = lay_out_flights(random)
    airline.flight = [
        (f.number, f.origin, f.destination, f.departs_at, f.arrives_at, f.arrives_days_later) for f in flights
    ]
    _schedule(airline, flights, today, random)
    booker = _Booker(airline, today, random)
    for sample in SAMPLES:
        booker.book_sample(sample)
    booker.add_customers(CUSTOMERS_COUNT - len(airline.customer))
    while len(airline.reservation) < RESERVATIONS_COUNT:
        booker.book_any(flights)
    return airline


def _schedule(airline: SampleAirline, flights: list[Flight], today: date, random: Random) -> None:
    fixed = {
        (leg.flight_number, today + timedelta(days=leg.days_ahead)): leg.status
        for sample in SAMPLES
        for leg in sample.flights
    }
    for flight in flights:
        base_usd = 60 + flight.minutes * 2 // 3
        for ahead in range(-DAYS_BACK, DAYS_AHEAD + 1):
            day = today + timedelta(days=ahead)
            status = fixed.get((flight.number, day)) or _status(ahead, random)
            airline.flight_date.append((flight.number, day, status))
            for cabin, (seats, factor) in _CABINS.items():
                left = 0 if random.random() < 0.05 else random.randrange(1, seats)  # noqa: PLR2004 - one in twenty is full
                price = round(base_usd * factor * random.uniform(0.85, 1.4))
                airline.fare.append((flight.number, day, cabin, left, price))


def _status(days_ahead: int, random: Random) -> str:
    draw = random.random()
    if days_ahead < 0:
        return "cancelled" if draw < 0.02 else "landed"  # noqa: PLR2004 - shares
    if days_ahead == 0:
        return "delayed" if draw < 0.15 else "on_time"  # noqa: PLR2004 - shares
    return "cancelled" if draw < 0.01 else "available"  # noqa: PLR2004 - shares


class _Booker:
    """Add customers and their bookings to a sample airline, keeping track of ids and of the seats taken."""

    def __init__(self, airline: SampleAirline, today: date, random: Random) -> None:
        self._airline = airline
        self._today = today
        self._random = random
        self._flies: dict[Leg, str] = {(row[0], row[1]): row[2] for row in airline.flight_date}
        self._taken: dict[Leg, set[str]] = {}
        self._numbers = {sample.confirmation_number for sample in SAMPLES}

    def book_sample(self, sample: Sample) -> None:
        """Book one of the samples as it is described."""
        customer = self._add_customer(*sample.passengers[0], sample.membership)
        legs = [(leg.flight_number, self._today + timedelta(days=leg.days_ahead)) for leg in sample.flights]
        reservation = self._add_reservation(
            (sample.confirmation_number, customer, "round_trip" if len(legs) > 1 else "one_way", sample.cabin),
            insured=sample.insured,
            cancelled=sample.cancelled,
            days_ago=sample.booked_days_ago,
        )
        self._add_passengers(reservation, sample.passengers)
        self._add_segments(reservation, legs)
        for leg, flight in zip(legs, sample.flights, strict=True):
            for number, seat in enumerate(flight.seats, 1):
                if seat is not None:
                    self._add_seat(reservation, number, leg, seat)

    def add_customers(self, count: int) -> None:
        """Add customers without a booking yet."""
        for _ in range(count):
            membership = self._random.choices(("regular", "silver", "gold"), (75, 18, 7))[0]
            self._add_customer(self._random.choice(GIVEN_NAMES), self._random.choice(SURNAMES), membership)

    def book_any(self, flights: list[Flight]) -> None:
        """Make one booking, on a busy flight more often than not."""
        draw = self._random
        pair = draw.randrange(0, _BUSY_FLIGHTS if draw.random() < 0.6 else len(flights), 2)  # noqa: PLR2004 - a share
        day = self._today + timedelta(days=draw.randrange(-DAYS_BACK, DAYS_AHEAD - 7))
        legs = [(flights[pair].number, day)]
        if draw.random() < 0.5:  # noqa: PLR2004 - half of them come back
            legs.append((flights[pair + 1].number, day + timedelta(days=draw.randrange(1, 8))))
        customer_id, given_name, surname = draw.choice(self._airline.customer)[:3]
        companions = draw.choices((0, 1, 2, 3), (60, 25, 10, 5))[0]
        people = [(given_name, surname), *((draw.choice(GIVEN_NAMES), surname) for _ in range(companions))]
        cabin = draw.choices(tuple(_CABINS), (25, 60, 15))[0]
        cancelled = draw.random() < 0.05  # noqa: PLR2004 - one in twenty
        reservation = self._add_reservation(
            (self._new_number(), customer_id, "round_trip" if len(legs) > 1 else "one_way", cabin),
            insured=draw.random() < 0.2,  # noqa: PLR2004 - one in five
            cancelled=cancelled,
            days_ago=draw.randrange(3, 90),
        )
        self._add_passengers(reservation, people)
        self._add_segments(reservation, legs)
        for leg in legs if not cancelled else ():
            if self._flies[leg] == "cancelled":
                continue
            for number in range(1, len(people) + 1):
                if draw.random() < _SEATED_SHARE:
                    self._add_seat(reservation, number, leg, self._free_seat(leg, cabin))

    def _add_customer(self, given_name: str, surname: str, membership: str) -> int:
        customer_id = len(self._airline.customer) + 1
        born_on = date(1945, 1, 1) + timedelta(days=self._random.randrange(0, 60 * 365))
        phone = f"+1{self._random.choice(('202', '303', '404', '512', '617'))}555{100 + customer_id % 100:04d}"
        email = f"customer{customer_id}@example.com"
        self._airline.customer.append((customer_id, given_name, surname, email, phone, born_on, membership))
        self._airline.payment_method.append((customer_id, 1, "card", f"{self._random.randrange(10_000):04d}", None))
        if self._random.random() < 0.2:  # noqa: PLR2004 - one in five
            kind = self._random.choice(("gift_card", "certificate"))
            self._airline.payment_method.append((customer_id, 2, kind, None, self._random.randrange(50, 400, 25)))
        return customer_id

    def _add_reservation(
        self, booking: tuple[str, int, str, str], *, insured: bool, cancelled: bool, days_ago: int
    ) -> int:
        reservation_id = len(self._airline.reservation) + 1
        created_at = datetime.combine(self._today - timedelta(days=days_ago), time(0, 0), UTC)
        payments = json.dumps([{"kind": "card", "amount_usd": self._random.randrange(120, 900), "for": "fare"}])
        status = "cancelled" if cancelled else "booked"
        bags = self._random.randrange(0, 3)
        self._airline.reservation.append((reservation_id, *booking, bags, insured, payments, status, created_at))
        return reservation_id

    def _add_passengers(self, reservation: int, people: tuple[tuple[str, str], ...] | list[tuple[str, str]]) -> None:
        for number, (given_name, surname) in enumerate(people, 1):
            born_on = date(1950, 1, 1) + timedelta(days=self._random.randrange(0, 60 * 365))
            self._airline.reservation_passenger.append((reservation, number, given_name, surname, born_on))

    def _add_segments(self, reservation: int, legs: list[Leg]) -> None:
        for number, (flight_number, day) in enumerate(legs, 1):
            self._airline.reservation_segment.append((reservation, number, flight_number, day))

    def _add_seat(self, reservation: int, passenger: int, leg: Leg, seat_number: str) -> None:
        seat = read_seat(seat_number)
        if seat is None:
            raise ValueError(f"no seat {seat_number} on the map")
        self._taken.setdefault(leg, set()).add(seat_number)
        self._airline.seat.append((*leg, seat_number, reservation, passenger, seat.price_usd))

    def _free_seat(self, leg: Leg, cabin: str) -> str:
        taken = self._taken.setdefault(leg, set())
        free = [seat for seat in SEAT_MAP if seat.number not in taken and (seat.is_premium == (cabin == "business"))]
        return self._random.choice(free or [seat for seat in SEAT_MAP if seat.number not in taken]).number

    def _new_number(self) -> str:
        """Make a confirmation number with both letters and digits, unlike a flight number (`LF1234`)."""
        while True:
            number = "".join(self._random.choices(string.ascii_uppercase + string.digits, k=6))
            mixed = any(c.isdigit() for c in number) and any(c.isalpha() for c in number)
            like_flight = number[:_FLIGHT_LOOKALIKE_LETTERS].isalpha() and number[_FLIGHT_LOOKALIKE_LETTERS:].isdigit()
            if mixed and not like_flight and number not in self._numbers:
                self._numbers.add(number)
                return number
