"""Offers of changes, ready to be made on the small airline, and what a test looks at around them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.small_airline import day_of

if TYPE_CHECKING:
    import psycopg

    from runtime.database import Row

CARD, GIFT_CARD = 1, 2
Change = dict[str, Any]
EVERYTHING = """
    SELECT (SELECT jsonb_agg(t ORDER BY t) FROM reservation t WHERE tenant_id = %(tenant)s) AS reservations,
        (SELECT jsonb_agg(t ORDER BY t) FROM reservation_segment t WHERE tenant_id = %(tenant)s) AS segments,
        (SELECT jsonb_agg(t ORDER BY t) FROM reservation_passenger t WHERE tenant_id = %(tenant)s) AS passengers,
        (SELECT jsonb_agg(t ORDER BY t) FROM seat t WHERE tenant_id = %(tenant)s) AS seats,
        (SELECT jsonb_agg(t ORDER BY t) FROM fare t WHERE tenant_id = %(tenant)s) AS fares,
        (SELECT jsonb_agg(t ORDER BY t) FROM payment_method t WHERE tenant_id = %(tenant)s) AS payment_methods,
        (SELECT jsonb_agg(t ORDER BY t) FROM reservation_change t WHERE tenant_id = %(tenant)s) AS changes
"""


def legs(*flights: tuple[str, int]) -> list[dict[str, str]]:
    return [{"flight_number": number, "flight_date": day_of(days).isoformat()} for number, days in flights]


SEAT: Change = {
    "name": "move_to_seat",
    "reservation_id": 1,
    "passenger_number": 1,
    "flight_number": "SA10",
    "flight_date": day_of(0).isoformat(),
    "from_seat": "11A",
    "to_seat": "2A",
    "price_usd": 35,
    "method_number": CARD,
}
FLIGHTS: Change = {
    "name": "change_flights",
    "reservation_id": 1,
    "segments": legs(("SA12", 0), ("SA11", 1)),
    "amount_usd": 0,
    "fee_usd": 0,
    "method_number": None,
}
CABIN: Change = {
    "name": "change_cabin",
    "reservation_id": 1,
    "cabin": "business",
    "amount_usd": 800,
    "method_number": CARD,
}
CANCEL: Change = {"name": "cancel_reservation", "reservation_id": 1, "refund_usd": 400}
BAGS: Change = {"name": "add_bags", "reservation_id": 1, "bags": 2, "amount_usd": 100, "method_number": CARD}
NAME: Change = {
    "name": "correct_passenger",
    "reservation_id": 1,
    "passenger_number": 2,
    "given_name": "Ida",
    "surname": "Okafor",
}
CERTIFICATE: Change = {
    "name": "issue_certificate",
    "reservation_id": 1,
    "amount_usd": 200,
    "reason": "cancelled_flight",
}
CHANGES: list[Change] = [SEAT, FLIGHTS, CABIN, CANCEL, BAGS, NAME, CERTIFICATE]
every_change = pytest.mark.parametrize("offered", CHANGES, ids=[str(offered["name"]) for offered in CHANGES])


def everything(connection: psycopg.Connection[Row], tenant: str) -> Row:
    """Read every row that a change could touch."""
    row = connection.execute(EVERYTHING, {"tenant": tenant}).fetchone()
    assert row is not None
    return row


def reprice(connection: psycopg.Connection[Row], tenant: str, flight: str, price_usd: int) -> None:
    connection.execute(
        "UPDATE fare SET price_usd = %s WHERE tenant_id = %s AND flight_number = %s AND cabin = 'economy'",
        [price_usd, tenant, flight],
    )


def set_status(connection: psycopg.Connection[Row], tenant: str, flight: str, status: str) -> None:
    connection.execute(
        "UPDATE flight_date SET status = %s WHERE tenant_id = %s AND flight_number = %s", [status, tenant, flight]
    )
