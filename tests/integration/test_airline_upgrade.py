"""What becomes of the bookings of a database that the release before the changes of reservations filled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography.fernet import Fernet

import ops.database.migrate
from ops.database.migrate import migrate
from runtime.database import connect
from runtime.sealing import Sealer
from schema.resources import load_migrations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    import psycopg

    from runtime.database import Row

BEFORE = 3
"""The last migration that knew no changes."""
FILL = """
    INSERT INTO tenant (tenant_id) VALUES ('default');
    INSERT INTO airport VALUES ('default', 'BOS', 'Boston', 'UTC'), ('default', 'SEA', 'Seattle', 'UTC');
    INSERT INTO flight VALUES ('default', 'LF1', 'BOS', 'SEA', '08:00', '09:00');
    INSERT INTO flight_date VALUES ('default', 'LF1', '2026-01-01', 'available');
    INSERT INTO fare VALUES ('default', 'LF1', '2026-01-01', 'economy', 3, 120),
        ('default', 'LF1', '2026-01-01', 'business', 3, 400);
    INSERT INTO customer VALUES
        ('default', 1, 'Ada', 'Okafor', 'Ada@Example.com', '+12025550101', '1990-01-01', 'gold');
    INSERT INTO payment_method VALUES ('default', 1, 1, 'card', '4242', NULL), ('default', 1, 2, 'gift_card', NULL, 50);
    INSERT INTO reservation VALUES ('default', 1, 'DEMO42', 1, 'one_way', 'economy', 0, false,
        '[{"kind": "card", "amount_usd": 100, "for": "fare"},
            {"kind": "certificate", "amount_usd": 20, "for": "fare"}]',
        'booked', now());
    INSERT INTO reservation_segment VALUES ('default', 1, 1, 'LF1', '2026-01-01');
    INSERT INTO reservation_passenger VALUES ('default', 1, 1, 'Ada', 'Okafor', '1990-01-01');
    INSERT INTO seat VALUES ('default', 'LF1', '2026-01-01', '9A', 1, 1, 0);
"""


@pytest.fixture
def upgraded(
    empty_database: Callable[[], AbstractContextManager[str]], monkeypatch: pytest.MonkeyPatch
) -> Iterator[psycopg.Connection[Row]]:
    """Give a database of that release with one booking, migrated to this one."""
    sealer = Sealer([Fernet.generate_key().decode()])
    known = load_migrations()
    with empty_database() as url:
        with monkeypatch.context() as patched:
            patched.setattr(
                ops.database.migrate, "load_migrations", lambda: tuple(m for m in known if m.number <= BEFORE)
            )
            patched.setattr(ops.database.migrate, "_keep_sender_secret", lambda *_: None)  # it had none
            patched.setattr(ops.database.migrate, "find_people", lambda *_: None)  # nor people
            patched.setattr(ops.database.migrate, "_grant", lambda *_: None)  # these name tables of this release
            migrate(url, sealer, tenants=(), sample=False)
        with connect(url) as connection:
            connection.execute(FILL)
        migrate(url, sealer, sample=False)
        with connect(url) as connection:
            connection.execute("SELECT set_config('fte.tenant', 'default', false)")
            yield connection


def test_an_older_booking_has_a_price_and_says_where_its_payments_came_from(
    upgraded: psycopg.Connection[Row],
) -> None:
    booking = upgraded.execute("SELECT version, segments, payments FROM booking").fetchone()

    assert booking is not None
    assert (booking["version"], booking["segments"][0]["price_usd"]) == (0, 120)
    assert [(p["kind"], p["method_number"]) for p in booking["payments"]] == [("card", 1), ("certificate", None)]
    assert upgraded.execute("SELECT email FROM customer").fetchall() == [{"email": "ada@example.com"}]


def test_workers_of_the_release_before_still_change_seats(upgraded: psycopg.Connection[Row]) -> None:
    seats = "SELECT * FROM move_to_seat(1::bigint, 1::smallint, 'LF1', '2026-01-01', '9A', '9F', 0) AS seat_number"

    assert upgraded.execute(seats).fetchall() == [{"seat_number": "9F"}]


def test_an_older_booking_is_cancelled_as_far_as_it_is_known_how_it_was_paid(
    upgraded: psycopg.Connection[Row],
) -> None:
    def cancel(refund_usd: int) -> list[Row]:
        offer = "ROW(1, 0, 'c-1', 'call_1', NULL)::reservation_offer"
        statement = f"SELECT version FROM cancel_reservation({offer}, {refund_usd}) AS version"  # noqa: S608 - ours
        return upgraded.execute(statement.encode()).fetchall()

    assert cancel(120) == []
    assert cancel(100) == [{"version": 1}]
    paid = upgraded.execute("SELECT payments FROM reservation").fetchall()[0]["payments"]
    assert paid[-1] == {
        "kind": "card", "amount_usd": -100, "for": "refund", "method_number": 1
    }  # fmt: skip
