"""What the tools read: the real one and the stand-in keep the same promises."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from tests.integration.conftest import add_tenant
from tests.integration.sample_airline import add_airline, day_of
from tests.unit.airline_stand_ins import ADA, BACK, OUT, RESERVATION, TENANT, MemoryAirline
from worker.domains.airline.records.backend import SeatTaken
from worker.domains.airline.rules.flights import check_open
from worker.domains.airline.rules.identity import find_passenger
from worker.domains.airline.rules.seats import SEAT_MAP
from worker.domains.airline.store.airline import PostgresAirline

if TYPE_CHECKING:
    from runtime.database import Database
    from schema.settings import Settings
    from worker.domains.airline.records.backend import AirlineBackend


@pytest.fixture(scope="module")
def airline(settings: Settings) -> str:
    return add_airline(settings)


def in_memory() -> MemoryAirline:
    """Hold the sample booking F4MLY5 as far as these tests look at it."""
    family = tuple(
        replace(ADA, number=n, given_name=name, surname="Lindholm")
        for n, name in enumerate(("Grace", "Oskar", "Mia", "Noa"), 1)
    )
    segments = (
        replace(OUT, flight_number="LF150", flight_date=day_of(14)),
        replace(BACK, flight_number="LF151", flight_date=day_of(21)),
    )
    seats = tuple(
        SeatTaken(segment.flight_number, segment.flight_date, n, f"{row}{letter}", 0)
        for segment, row in zip(segments, (18, 19), strict=True)
        for n, letter in enumerate("ABCD", 1)
    )
    return MemoryAirline(
        replace(RESERVATION, confirmation_number="F4MLY5", passengers=family, segments=segments, seats=seats)
    )


@pytest.fixture(params=["postgres", "memory"])
def backend(request: pytest.FixtureRequest, database: Database, airline: str) -> tuple[AirlineBackend, str]:
    """Give a backend and the tenant whose bookings it has."""
    return (PostgresAirline(database), airline) if request.param == "postgres" else (in_memory(), TENANT)


async def test_a_reservation_is_found_with_all_that_belongs_to_it(backend: tuple[AirlineBackend, str]) -> None:
    reads, tenant = backend

    found = await reads.find_reservation(tenant, "F4MLY5")

    assert found is not None
    assert (found.confirmation_number, found.status, found.cabin) == ("F4MLY5", "booked", "economy")
    assert [p.name for p in found.passengers] == ["Grace Lindholm", "Oskar Lindholm", "Mia Lindholm", "Noa Lindholm"]
    assert [(s.flight_number, s.flight_date) for s in found.segments] == [("LF150", day_of(14)), ("LF151", day_of(21))]
    assert all(segment.departs_at.tzinfo is not None for segment in found.segments)
    oskar = found.passengers[1]
    assert [found.seat_of(oskar, segment) for segment in found.segments] == [
        SeatTaken("LF150", day_of(14), 2, "18B", 0),
        SeatTaken("LF151", day_of(21), 2, "19B", 0),
    ]


@pytest.mark.parametrize("number", ["F4MLY6", "f4mly5", "", "%", "' OR true --"])
async def test_another_number_finds_nothing(backend: tuple[AirlineBackend, str], number: str) -> None:
    reads, tenant = backend

    assert await reads.find_reservation(tenant, number) is None


async def test_a_reservation_of_another_tenant_is_not_found(
    backend: tuple[AirlineBackend, str], settings: Settings
) -> None:
    reads, _ = backend

    assert await reads.find_reservation(add_tenant(settings), "F4MLY5") is None


async def test_the_seats_taken_on_a_flight_are_found(backend: tuple[AirlineBackend, str]) -> None:
    reads, tenant = backend

    taken = await reads.find_taken_seats(tenant, "LF150", day_of(14))

    assert {"18A", "18B", "18C", "18D"} <= taken < {seat.number for seat in SEAT_MAP}


async def test_on_another_day_or_for_another_tenant_nobody_has_these_seats(
    backend: tuple[AirlineBackend, str], settings: Settings
) -> None:
    reads, tenant = backend

    assert "18A" not in await reads.find_taken_seats(tenant, "LF150", day_of(400))
    assert await reads.find_taken_seats(add_tenant(settings), "LF150", day_of(14)) == frozenset()


async def test_a_departure_is_a_moment_of_the_origins_clock(database: Database, airline: str) -> None:
    found = await PostgresAirline(database).find_reservation(airline, "DEMO42")

    assert found is not None
    departure = found.segments[0]
    local = datetime.fromisoformat(departure.departs_local).replace(tzinfo=UTC)
    hours_behind = (departure.departs_at - local).total_seconds() / 3_600
    assert 4 <= hours_behind <= 8  # every airport of the sample lies in the United States
    assert departure.flight_date == local.date() == day_of(5)


@pytest.mark.parametrize(
    ("number", "surname", "refusal"),
    [
        ("DEMO42", "Okafor", None),
        ("Z0EL7A", "lindqvist akerman", None),
        ("D3LAY1", "Suzuki", None),
        ("C4NC3L", "Price", "flight_cancelled"),
        ("L4ND3D", "Haddad", "flight_departed"),
        ("VO1D77", "Webb", "reservation_cancelled"),
    ],
)
async def test_each_sample_shows_what_it_is_there_for(
    database: Database, airline: str, number: str, surname: str, refusal: str | None
) -> None:
    found = await PostgresAirline(database).find_reservation(airline, number)

    assert found is not None
    assert find_passenger(found, surname) is not None
    closed = check_open(found, found.segments[0], datetime.now(UTC))
    assert (closed.code if closed else None) == refusal
