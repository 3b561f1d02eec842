"""Flights between two cities, and the bookings of an address: the reads beyond one reservation."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from runtime.database import connect
from schema.resources import load_query
from tests.integration.sample_airline import add_airline
from tests.integration.sample_airline import day_of as sample_day
from tests.integration.small_airline import PLACES, PRICES, add_small_airline, day_of
from tests.unit.airline_stand_ins import ADDRESS, BACK, OUT, RESERVATION, TENANT, MemoryAirline, flight_of, later
from worker.domains.airline.records.backend import Airport, Fare
from worker.domains.airline.store.airline import PostgresAirline

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

    from runtime.database import Database, Row
    from schema.settings import Settings
    from worker.domains.airline.records.backend import AirlineBackend, Connection


@pytest.fixture(scope="module")
def connection(settings: Settings) -> Iterator[psycopg.Connection[Row]]:
    """Reach the tables above row-level security."""
    assert settings.database_url is not None
    with connect(settings.database_url) as made:
        yield made


@pytest.fixture
def airline(settings: Settings, connection: psycopg.Connection[Row]) -> str:
    return add_small_airline(settings, connection)


@pytest.fixture(scope="module")
def filled(settings: Settings) -> str:
    return add_airline(settings)


def numbers(found: tuple[Connection, ...]) -> list[tuple[str, ...]]:
    return [tuple(flight.flight_number for flight in connection) for connection in found]


async def test_direct_flights_and_those_with_one_stop_are_found_by_arrival(database: Database, airline: str) -> None:
    found = await PostgresAirline(database).search_flights(airline, "AAA", "BBB", day_of(0))

    assert numbers(found) == [("SA10",), ("SA20", "SA21"), ("SA12",), ("SA30", "SA31")]
    assert [flight.flight_date for flight in found[3]] == [day_of(0), day_of(1)]


async def test_a_stop_lasts_45_minutes_to_6_hours(
    database: Database, connection: psycopg.Connection[Row], airline: str
) -> None:
    # SA20 arrives at 08:00: SA21 leaves at 08:45, SA22 at 14:01.
    connection.execute(
        "UPDATE flight SET departs_at = '08:44' WHERE tenant_id = %s AND flight_number = 'SA21'", [airline]
    )
    too_short = await PostgresAirline(database).search_flights(airline, "AAA", "BBB", day_of(0))
    connection.execute(
        "UPDATE flight SET departs_at = '14:00' WHERE tenant_id = %s AND flight_number = 'SA22'", [airline]
    )
    six_hours = await PostgresAirline(database).search_flights(airline, "AAA", "BBB", day_of(0))

    assert numbers(too_short) == [("SA10",), ("SA12",), ("SA30", "SA31")]
    assert numbers(six_hours) == [("SA10",), ("SA12",), ("SA20", "SA22"), ("SA30", "SA31")]


@pytest.mark.parametrize("status", ["flying", "landed", "cancelled"])
async def test_only_open_flights_are_found(
    database: Database, connection: psycopg.Connection[Row], airline: str, status: str
) -> None:
    connection.execute(
        "UPDATE flight_date SET status = %s WHERE tenant_id = %s AND flight_number IN ('SA10', 'SA21', 'SA30')",
        [status, airline],
    )

    assert numbers(await PostgresAirline(database).search_flights(airline, "AAA", "BBB", day_of(0))) == [("SA12",)]


async def test_a_flight_that_left_today_is_not_found_though_nobody_noted_it(
    database: Database, connection: psycopg.Connection[Row], airline: str
) -> None:
    today = datetime.now(UTC).date()
    connection.execute(
        "INSERT INTO flight_date (tenant_id, flight_number, flight_date, status) "
        "SELECT tenant_id, flight_number, %s, 'on_time' FROM flight WHERE tenant_id = %s",
        [today, airline],
    )
    connection.execute(
        "UPDATE flight SET departs_at = CASE flight_number WHEN 'SA10' THEN '00:00' ELSE '23:59' END::time, "
        "arrives_at = '01:00', arrives_days_later = 1 WHERE tenant_id = %s AND flight_number IN ('SA10', 'SA12')",
        [airline],
    )

    found = numbers(await PostgresAirline(database).search_flights(airline, "AAA", "BBB", today))

    assert ("SA10",) not in found
    assert ("SA12",) in found


async def test_a_flight_is_found_with_its_fares_on_its_day(database: Database, airline: str) -> None:
    reads = PostgresAirline(database)

    found = await reads.find_flight(airline, "SA31", day_of(0))

    assert found is not None
    assert (found.origin, found.destination, found.status) == ("DDD", "BBB", "available")
    assert (found.departs_local, found.arrives_local) == (f"{day_of(0)} 00:30", f"{day_of(0)} 02:00")
    assert found.arrives_at - found.departs_at == timedelta(minutes=90)
    assert set(found.fares) == {Fare(cabin, PLACES[cabin], PRICES[cabin]) for cabin in PRICES}  # type: ignore[arg-type]
    assert await reads.find_flight(airline, "SA31", day_of(5)) is None
    assert await reads.find_flight(airline, "SA99", day_of(0)) is None


async def test_a_delay_moves_a_flights_moments_and_what_connects_with_it(
    database: Database, connection: psycopg.Connection[Row], airline: str
) -> None:
    reads = PostgresAirline(database)
    on_time = await reads.find_flight(airline, "SA20", day_of(0))
    connection.execute(
        "UPDATE flight_date SET status = 'delayed', delay_minutes = 150 "
        "WHERE tenant_id = %s AND flight_number = 'SA20'",
        [airline],
    )

    late = await reads.find_flight(airline, "SA20", day_of(0))

    assert on_time is not None
    assert late is not None
    assert (late.departs_local, late.arrives_local) == (f"{day_of(0)} 09:30", f"{day_of(0)} 10:30")
    assert late.departs_at - on_time.departs_at == late.arrives_at - on_time.arrives_at == timedelta(minutes=150)
    found = numbers(await reads.search_flights(airline, "AAA", "BBB", day_of(0)))
    assert ("SA20", "SA21") not in found  # which leaves at 08:45
    assert ("SA20", "SA22") in found


async def test_a_booking_whose_delayed_flight_should_have_left_comes_before_later_ones(
    database: Database, connection: psycopg.Connection[Row], airline: str
) -> None:
    left_at = datetime.now(UTC) - timedelta(minutes=40)
    connection.execute(
        "INSERT INTO flight_date (tenant_id, flight_number, flight_date, status) VALUES (%s, 'SA12', %s, 'delayed')",
        [airline, left_at.date()],
    )
    connection.execute(
        "UPDATE flight SET departs_at = %s WHERE tenant_id = %s AND flight_number = 'SA12'", [left_at.time(), airline]
    )
    connection.execute("DELETE FROM seat WHERE tenant_id = %s AND flight_number = 'SA12'", [airline])
    connection.execute(
        "UPDATE reservation_segment SET flight_date = %s WHERE tenant_id = %s AND flight_number = 'SA12'",
        [left_at.date(), airline],
    )

    found = await PostgresAirline(database).find_reservations_of(airline, "okafor@example.com")

    assert [booking.confirmation_number for booking in found] == ["BBBB22", "AAAA11"]


async def test_nothing_of_another_tenant_is_found(database: Database, airline: str, tenant: str) -> None:
    reads = PostgresAirline(database)

    assert await reads.search_flights(tenant, "AAA", "BBB", day_of(0)) == ()
    assert await reads.find_flight(tenant, "SA10", day_of(0)) is None
    assert await reads.find_airports(tenant) == ()
    assert await reads.find_reservations_of(tenant, "okafor@example.com") == ()


async def test_airports_are_listed_by_code(database: Database, airline: str) -> None:
    found = await PostgresAirline(database).find_airports(airline)

    assert found == tuple(Airport(code, code.title()) for code in ("AAA", "BBB", "CCC", "DDD"))


@pytest.mark.parametrize("address", ["okafor@example.com", "Okafor@Example.COM", "+12025550101"])
async def test_the_bookings_of_an_address_are_found_with_the_next_to_be_flown_first(
    database: Database, connection: psycopg.Connection[Row], airline: str, address: str
) -> None:
    connection.execute(
        "UPDATE flight SET departs_at = '06:00' WHERE tenant_id = %s AND flight_number = 'SA12'", [airline]
    )
    reads = PostgresAirline(database)

    found = await reads.find_reservations_of(airline, address)

    assert [r.confirmation_number for r in found] == ["BBBB22", "AAAA11"]
    assert found[1] == await reads.find_reservation(airline, "AAAA11")


async def test_a_cancelled_booking_comes_after_those_to_be_flown(
    database: Database, connection: psycopg.Connection[Row], airline: str
) -> None:
    connection.execute(
        "UPDATE reservation SET status = 'cancelled' WHERE tenant_id = %s AND reservation_id = 1", [airline]
    )

    found = await PostgresAirline(database).find_reservations_of(airline, "okafor@example.com")

    assert [r.confirmation_number for r in found] == ["BBBB22", "AAAA11"]


@pytest.mark.parametrize("address", ["", "okafor", "%@example.com", "nobody@example.com", "2025550101"])
async def test_another_address_finds_nothing(database: Database, airline: str, address: str) -> None:
    assert await PostgresAirline(database).find_reservations_of(airline, address) == ()


async def test_at_most_five_bookings_and_eight_connections_are_found(database: Database, filled: str) -> None:
    reads = PostgresAirline(database)
    airports = [airport.code for airport in await reads.find_airports(filled)]

    searches = [await reads.search_flights(filled, a, "ATL", sample_day(3)) for a in airports if a != "ATL"]
    bookings = [await reads.find_reservations_of(filled, f"customer{n}@example.com") for n in range(20, 80)]

    assert max(map(len, searches)) == 8
    assert max(map(len, bookings)) == 5
    assert sum(len(connection) == 2 for found in searches for connection in found) > 20


@pytest.mark.parametrize("backend", ["postgres", "memory"])
async def test_the_stand_in_finds_as_the_real_one_does(database: Database, filled: str, backend: str) -> None:
    reads: AirlineBackend = PostgresAirline(database)
    tenant, address, number, route, day = filled, "customer1@example.com", "DEMO42", ("DTW", "MSP"), sample_day(5)
    if backend == "memory":
        reads, tenant, address, number = MemoryAirline(), TENANT, ADDRESS, RESERVATION.confirmation_number
        route, day = (OUT.origin, OUT.destination), OUT.flight_date

    booked = await reads.find_reservations_of(tenant, address)
    found = await reads.search_flights(tenant, *route, day)
    flight = await reads.find_flight(tenant, "LF118", day)

    assert number in [r.confirmation_number for r in booked]
    assert all((c[0].origin, c[-1].destination, c[0].flight_date) == (*route, day) for c in found)
    assert found == tuple(sorted(found, key=lambda c: c[-1].arrives_at))
    assert (flight,) in found
    assert flight is not None
    assert {fare.cabin for fare in flight.fares} == {"basic_economy", "economy", "business"}


async def test_the_stand_in_connects_flights_as_the_real_one_does() -> None:
    onward = later(flight_of(BACK, flight_number="LF9", origin="SEA", destination="DEN"), hours=-48)
    airline = MemoryAirline(flights=(onward,))

    assert numbers(await airline.search_flights(TENANT, "BOS", "DEN", OUT.flight_date)) == [("LF118", "LF9")]


@pytest.mark.parametrize("query", ["find_reservations_of", "find_reservation"])
def test_a_booking_is_found_by_an_index(connection: psycopg.Connection[Row], filled: str, query: str) -> None:
    parameters = {
        "address": "customer7@example.com",
        "reservations_max": 5,
        "delayed_hours_max": 24,
        "confirmation_number": "DEMO42",
    }

    connection.execute("ANALYZE customer, reservation")
    with connection.transaction():
        connection.execute("SET LOCAL ROLE fte_app")
        connection.execute("SELECT set_config('fte.tenant', %s, true)", [filled])
        rows = connection.execute(b"EXPLAIN " + load_query(query).encode(), parameters).fetchall()

    plan = "\n".join(row["QUERY PLAN"] for row in rows)
    assert "Seq Scan on customer" not in plan
    assert "Seq Scan on reservation r\n" not in plan
    assert ("customer_email" in plan and "customer_phone" in plan) or "confirmation_number_names_one" in plan
