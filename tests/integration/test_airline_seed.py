from __future__ import annotations

import re
from collections import Counter
from datetime import date, timedelta
from time import perf_counter
from typing import TYPE_CHECKING

import pytest
from cryptography.fernet import Fernet
from psycopg import sql

from ops.migrate import migrate
from ops.runtime.database import connect
from ops.runtime.sealing import Sealer
from ops.seed import SAMPLES, SeedCounts, seed_airline
from ops.seed.airline import make_airline

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from ops.embedded import EmbeddedStack
    from schema.settings import Settings

DAY = date(2026, 1, 15)
COUNTS = SeedCounts(flights=300, flight_dates=9_900, customers=500, reservations=2_000, seats=3_816)


def test_the_sample_airline_is_the_same_for_the_same_seed_and_day() -> None:
    assert make_airline(DAY, 1) == make_airline(DAY, 1)
    assert make_airline(DAY, 1) != make_airline(DAY, 2)


def test_the_sample_airline_has_the_size_it_promises() -> None:
    airline = make_airline(DAY)

    assert len(airline.airport) == 20
    assert len(airline.flight) == len({row[0] for row in airline.flight}) == 300
    assert {row[1] for row in airline.flight_date} == {DAY + timedelta(days=d) for d in range(-2, 31)}
    assert (len(airline.customer), len(airline.reservation)) == (500, 2_000)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_seat_of_the_sample_airline_is_taken_twice(seed: int) -> None:
    seats = make_airline(DAY, seed).seat

    assert max(Counter(row[:3] for row in seats).values()) == 1
    assert max(Counter((row[0], row[1], row[3], row[4]) for row in seats).values()) == 1


def test_confirmation_numbers_hold_a_digit_and_a_letter_and_read_like_no_flight() -> None:
    numbers = [row[1] for row in make_airline(DAY).reservation]

    assert len(set(numbers)) == 2_000
    assert all(re.fullmatch(r"(?=.*\d)(?=.*[A-Z])[A-Z0-9]{6}", number) for number in numbers)
    assert not [number for number in numbers if re.fullmatch(r"[A-Z]{2}\d+", number)]


def test_seeding_fills_a_tenant_once(settings: Settings, tenant: str) -> None:
    assert settings.database_url is not None
    with connect(settings.database_url) as connection:
        began = perf_counter()
        first = seed_airline(connection, tenant, DAY)
        seconds = perf_counter() - began
        second = seed_airline(connection, tenant, DAY + timedelta(days=40))

    assert first == COUNTS
    assert second == SeedCounts()
    assert seconds < 30  # about one on an idle machine; a plan gone wrong takes minutes


def test_every_sample_is_in_the_database(settings: Settings, tenant: str) -> None:
    assert settings.database_url is not None
    with connect(settings.database_url) as connection:
        seed_airline(connection, tenant, DAY)
        rows = connection.execute(
            "SELECT r.confirmation_number, p.surname FROM reservation r JOIN reservation_passenger p "
            "USING (tenant_id, reservation_id) WHERE tenant_id = %s AND passenger_number = 1",
            [tenant],
        )
        found = {(row["confirmation_number"], row["surname"]) for row in rows}

    assert {(s.confirmation_number, s.passengers[0][1]) for s in SAMPLES} <= found


def test_a_plain_owner_under_row_level_security_can_fill_two_tenants(
    stack: EmbeddedStack, empty_database: Callable[..., AbstractContextManager[str]]
) -> None:
    role, password = "seed_owner", "made-up"
    with connect(stack.addresses.database_url) as connection:
        connection.execute(
            sql.SQL("CREATE ROLE {} LOGIN NOSUPERUSER PASSWORD {}").format(sql.Identifier(role), sql.Literal(password))
        )

    with empty_database(role, password) as url:
        migrate(url, Sealer([Fernet.generate_key().decode()]), tenants=("north", "south"))
        with connect(url) as connection:
            connection.execute("SELECT set_config('fte.tenant', '*', false)")
            rows = connection.execute("SELECT tenant_id, count(*) AS seats FROM seat GROUP BY tenant_id ORDER BY 1")
            seats = {row["tenant_id"]: row["seats"] for row in rows}

    assert seats == {"north": COUNTS.seats, "south": COUNTS.seats}
