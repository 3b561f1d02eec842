"""Give tests a tenant with three bookings that they know by heart, without the sample's randomness."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from runtime.database import connect

if TYPE_CHECKING:
    from schema.settings import Settings

DAY = datetime.now(UTC).date() + timedelta(days=10)
NEXT_DAY = DAY + timedelta(days=1)

_FLIGHTS = [("LF118", "BOS", "SEA", "09:05", "12:20"), ("LF120", "BOS", "SEA", "18:00", "21:15")]
_FARES = [("basic_economy", 9, 150), ("economy", 9, 200), ("business", 4, 500)]
_CUSTOMERS = [
    (1, "Ada", "Okafor", "ada@example.com", "+12025550101", "silver"),
    (2, "Ben", "Ito", "ben@example.com", "+12025550102", "regular"),
    (3, "Cleo", "Marsh", "cleo@example.com", "+12025550103", "gold"),
]
_BOOKINGS: list[tuple[int, str, int, str, Any, int]] = [
    (1, "QK7P2M", 1, "LF118", DAY, 14),  # booked an hour ago
    (2, "RT5W8Z", 2, "LF118", DAY, 15),
    (3, "C4NX7Q", 3, "LF118", NEXT_DAY, 16),  # a flight that is cancelled
]


def add_three_bookings(settings: Settings, tenant: str) -> None:
    """Fill a tenant: Ada's QK7P2M, Ben's RT5W8Z and Cleo's C4NX7Q fly from Boston to Seattle, in economy, at $200.

    LF120 of `DAY` has one seat left in economy, at $240. Cleo's flight, a day later, is cancelled.
    """
    assert settings.database_url is not None
    with connect(settings.database_url) as connection, connection.transaction(), connection.cursor() as cursor:

        def fill(table: str, columns: str, rows: list[tuple[Any, ...]]) -> None:
            places = ", ".join(["%s"] * (len(columns.split()) + 1))
            names = ", ".join(["tenant_id", *columns.split()])
            statement = f"INSERT INTO {table} ({names}) VALUES ({places})"  # noqa: S608 - names of this file
            cursor.executemany(statement.encode(), [(tenant, *row) for row in rows])

        fill(
            "airport", "code city time_zone", [("BOS", "Boston", "America/New_York"), ("SEA", "Seattle", "US/Pacific")]
        )
        fill("flight", "flight_number origin destination departs_at arrives_at", [*_FLIGHTS])
        days = [(number, day) for number, *_ in _FLIGHTS for day in (DAY, NEXT_DAY)]
        dates = [(*leg, "cancelled" if leg == ("LF118", NEXT_DAY) else "available") for leg in days]
        fill("flight_date", "flight_number flight_date status", dates)
        fares = [(*leg, *fare) for leg in days for fare in _FARES if (leg, fare[0]) != (("LF120", DAY), "economy")]
        fill(
            "fare", "flight_number flight_date cabin seats_left price_usd", [*fares, ("LF120", DAY, "economy", 1, 240)]
        )
        customers = [(*customer, "1990-05-17") for customer in _CUSTOMERS]
        fill("customer", "customer_id given_name surname email phone membership born_on", customers)
        cards = [(customer[0], 1, "card", "4242") for customer in _CUSTOMERS]
        fill("payment_method", "customer_id method_number kind last_four", cards)
        paid = json.dumps([{"kind": "card", "amount_usd": 200, "for": "fare", "method_number": 1}])
        booked = datetime.now(UTC) - timedelta(hours=1)
        reservations = [(b[0], b[1], b[2], "one_way", "economy", paid, booked) for b in _BOOKINGS]
        columns = "reservation_id confirmation_number customer_id trip_type cabin payments created_at"
        fill("reservation", columns, reservations)
        segments = [(b[0], 1, b[3], b[4], 200) for b in _BOOKINGS]
        fill("reservation_segment", "reservation_id segment_number flight_number flight_date price_usd", segments)
        travellers = [(b[0], 1, *_CUSTOMERS[b[2] - 1][1:3], "1990-05-17") for b in _BOOKINGS]
        fill("reservation_passenger", "reservation_id passenger_number given_name surname born_on", travellers)
        seats = [(b[3], b[4], f"{b[5]}C", b[0], 1) for b in _BOOKINGS]
        fill("seat", "flight_number flight_date seat_number reservation_id passenger_number", seats)


def seat_of_ada(settings: Settings, tenant: str) -> str:
    """Return the seat of Ada's booking."""
    with connect(settings.database_url or "") as connection:
        statement = "SELECT seat_number FROM seat WHERE tenant_id = %s AND reservation_id = 1"
        row = connection.execute(statement, [tenant]).fetchone()
    assert row is not None
    return str(row["seat_number"])
