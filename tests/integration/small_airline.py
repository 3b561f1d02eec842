"""Give tests an airline small enough to count: four airports, a handful of flights and bookings, a few seats left."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from runtime.encoding import dump_json
from tests.integration.conftest import add_tenant

if TYPE_CHECKING:
    from datetime import date

    import psycopg

    from runtime.database import Row
    from schema.settings import Settings

DAY = datetime.now(UTC).date() + timedelta(days=10)
FLIGHTS = (  # number, origin, destination, departs, arrives, days later: all on DAY and on the day after
    ("SA10", "AAA", "BBB", "08:00", "09:30", 0),
    ("SA12", "AAA", "BBB", "12:00", "13:30", 0),
    ("SA11", "BBB", "AAA", "18:00", "19:30", 0),
    ("SA20", "AAA", "CCC", "07:00", "08:00", 0),
    ("SA21", "CCC", "BBB", "08:45", "10:00", 0),
    ("SA22", "CCC", "BBB", "14:01", "15:00", 0),
    ("SA30", "AAA", "DDD", "22:00", "23:30", 0),
    ("SA31", "DDD", "BBB", "00:30", "02:00", 0),
)
PRICES = {"basic_economy": 80, "economy": 100, "business": 300}
CABINS = tuple(PRICES)
PLACES = {"basic_economy": 2, "economy": 2, "business": 2}
"""Left to sell on each flight, besides what is booked."""


@dataclass(frozen=True)
class SmallBooking:
    """Hold a booking: its passengers sit in rows of their own, the first on a seat, the others without one."""

    reservation_id: int
    confirmation_number: str
    customer_id: int
    cabin: str
    flights: tuple[tuple[str, int], ...]  # number, days after DAY
    surnames: tuple[str, ...]


BOOKINGS = (
    SmallBooking(1, "AAAA11", 1, "economy", (("SA10", 0), ("SA11", 1)), ("Okafor", "Okafor")),
    SmallBooking(2, "BBBB22", 1, "economy", (("SA12", 0),), ("Okafor",)),
    SmallBooking(3, "CCCC33", 2, "business", (("SA10", 0), ("SA11", 0)), ("Santos",)),
)
GIFT_CARD_USD = 250
"""On the gift card of each customer: method 2, beside a card, method 1."""


def day_of(days_later: int) -> date:
    """Give the date so many days after DAY."""
    return DAY + timedelta(days=days_later)


def add_small_airline(settings: Settings, connection: psycopg.Connection[Row]) -> str:
    """Set up a tenant with the small airline; all of its booked fares were paid by card."""
    tenant = add_tenant(settings)
    with connection.transaction(), connection.cursor() as cursor:
        for table, rows in _rows().items():
            names = ["tenant_id", *rows[0]]
            values = ", ".join(f"%({name})s" for name in names)
            statement = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({values})"  # noqa: S608 - names of ours
            cursor.executemany(statement.encode(), [{"tenant_id": tenant, **row} for row in rows])
    return tenant


def _rows() -> dict[str, list[dict[str, Any]]]:
    return {**_rows_of_flights(), **_rows_of_customers(), **_rows_of_bookings()}


def _rows_of_flights() -> dict[str, list[dict[str, Any]]]:
    dates = [{"flight_number": number, "flight_date": day_of(days)} for number, *_ in FLIGHTS for days in (0, 1)]
    columns = ("flight_number", "origin", "destination", "departs_at", "arrives_at", "arrives_days_later")
    return {
        "airport": [{"code": code, "city": code.title(), "time_zone": "UTC"} for code in ("AAA", "BBB", "CCC", "DDD")],
        "flight": [dict(zip(columns, flight, strict=True)) for flight in FLIGHTS],
        "flight_date": [{**leg, "status": "available"} for leg in dates],
        "fare": [
            {**leg, "cabin": cabin, "seats_left": PLACES[cabin], "price_usd": PRICES[cabin]}
            for leg in dates
            for cabin in CABINS
        ],
    }


def _rows_of_customers() -> dict[str, list[dict[str, Any]]]:
    return {
        "customer": [
            {
                "customer_id": customer,
                "given_name": "Ada",
                "surname": surname,
                "email": f"{surname.lower()}@example.com",
                "phone": f"+1202555010{customer}",
                "born_on": "1990-01-01",
                "membership": "silver",
            }
            for customer, surname in ((1, "Okafor"), (2, "Santos"))
        ],
        "payment_method": [
            {"customer_id": customer, "method_number": n, "kind": kind, "last_four": four, "balance_usd": balance}
            for customer in (1, 2)
            for n, kind, four, balance in ((1, "card", "4242", None), (2, "gift_card", None, GIFT_CARD_USD))
        ],
    }


def _rows_of_bookings() -> dict[str, list[dict[str, Any]]]:
    legs = [
        (booking, number, {"flight_number": flight, "flight_date": day_of(days)})
        for booking in BOOKINGS
        for number, (flight, days) in enumerate(booking.flights, 1)
    ]
    return {
        "reservation": [
            {
                "reservation_id": booking.reservation_id,
                "confirmation_number": booking.confirmation_number,
                "customer_id": booking.customer_id,
                "trip_type": "round_trip" if len(booking.flights) > 1 else "one_way",
                "cabin": booking.cabin,
                "payments": dump_json(
                    [{"kind": "card", "amount_usd": paid_at_first(booking), "for": "fare", "method_number": 1}]
                ),
                "created_at": datetime.now(UTC) - timedelta(days=9 - booking.reservation_id),
            }
            for booking in BOOKINGS
        ],
        "reservation_segment": [
            {"reservation_id": b.reservation_id, "segment_number": number, "price_usd": PRICES[b.cabin], **leg}
            for b, number, leg in legs
        ],
        "reservation_passenger": [
            {
                "reservation_id": booking.reservation_id,
                "passenger_number": number,
                "given_name": "Ada",
                "surname": surname,
                "born_on": "1990-01-01",
            }
            for booking in BOOKINGS
            for number, surname in enumerate(booking.surnames, 1)
        ],
        "seat": [
            {
                **leg,
                "seat_number": f"{10 + b.reservation_id}A",
                "reservation_id": b.reservation_id,
                "passenger_number": 1,
            }
            for b, _, leg in legs
        ],
    }


def paid_at_first(booking: SmallBooking) -> int:
    """Give what the booking cost."""
    return PRICES[booking.cabin] * len(booking.flights) * len(booking.surnames)
