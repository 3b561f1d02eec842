from __future__ import annotations

import json
import re
from collections import Counter
from datetime import date, timedelta
from functools import cache
from time import perf_counter
from typing import TYPE_CHECKING

import pytest
from cryptography.fernet import Fernet
from psycopg import sql

from ops.database.migrate import migrate
from ops.seed import SAMPLES, SeedCounts, seed_airline
from ops.seed.airline import PLACES, make_airline
from ops.seed.samples import SAMPLE_FARES
from runtime.database import connect
from runtime.sealing import Sealer
from tests.integration.sample_airline import sample
from worker.domains.airline.rules.bags import FREE_BAGS

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from ops.embedded import EmbeddedStack
    from ops.seed.tables import SampleAirline
    from schema.settings import Settings

DAY = date(2026, 1, 15)
COUNTS = SeedCounts(flights=300, flight_dates=9_900, customers=500, reservations=2_000, seats=4_006)


@cache
def made(seed: int) -> SampleAirline:
    return make_airline(DAY, seed)


def test_the_sample_airline_is_the_same_for_the_same_seed_and_day() -> None:
    assert make_airline(DAY, 1) == make_airline(DAY, 1)
    assert make_airline(DAY, 1) != make_airline(DAY, 2)


def test_the_sample_airline_has_the_size_it_promises() -> None:
    airline = made(1)

    assert len(airline.airport) == 20
    assert len(airline.flight) == len({row[0] for row in airline.flight}) == 300
    assert {row[1] for row in airline.flight_date} == {DAY + timedelta(days=d) for d in range(-2, 31)}
    assert (len(airline.customer), len(airline.reservation)) == (500, 2_000)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_seat_of_the_sample_airline_is_taken_twice(seed: int) -> None:
    seats = made(seed).seat

    assert max(Counter(row[:3] for row in seats).values()) == 1
    assert max(Counter((row[0], row[1], row[3], row[4]) for row in seats).values()) == 1


def test_confirmation_numbers_hold_a_digit_and_a_letter_and_read_like_no_flight() -> None:
    numbers = [row[1] for row in made(1).reservation]

    assert len(set(numbers)) == 2_000
    assert all(re.fullmatch(r"(?=.*\d)(?=.*[A-Z])[A-Z0-9]{6}", number) for number in numbers)
    assert not [number for number in numbers if re.fullmatch(r"[A-Z]{2}\d+", number)]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_payments_of_a_booking_add_up_to_what_it_costs(seed: int) -> None:
    airline = made(seed)
    people = Counter(row[0] for row in airline.reservation_passenger)
    memberships = {row[0]: row[6] for row in airline.customer}
    costs: Counter[int] = Counter()
    for reservation_id, _, _, _, price in airline.reservation_segment:
        costs[reservation_id] += price * people[reservation_id]
    for *_, reservation_id, _, price in airline.seat:
        costs[reservation_id] += price
    for reservation_id, _, customer, _, cabin, bags, insured, *_ in airline.reservation:
        free = FREE_BAGS[memberships[customer]][cabin] * people[reservation_id]
        costs[reservation_id] += 30 * people[reservation_id] * insured + 50 * max(0, bags - free)

    paid = {row[0]: [payment["amount_usd"] for payment in json.loads(row[7])] for row in airline.reservation}

    kept = {row[0] for row in airline.reservation if row[8] == "booked" or not (row[6] or row[4] == "business")}
    assert [r for r in paid if sum(paid[r]) != (costs[r] if r in kept else 0)] == []
    assert [r for r in kept if min(paid[r]) <= 0] == []


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_cabin_of_the_sample_airline_is_oversold(seed: int) -> None:
    airline = made(seed)
    people = Counter(row[0] for row in airline.reservation_passenger)
    cabins = {row[0]: row[4] for row in airline.reservation if row[8] == "booked"}
    booked: Counter[tuple[str, date, str]] = Counter()
    for reservation_id, _, flight_number, day, _ in airline.reservation_segment:
        if reservation_id in cabins:
            booked[flight_number, day, cabins[reservation_id]] += people[reservation_id]

    left = {row[:3]: row[3] for row in airline.fare}

    assert [place for place in left if not 0 <= left[place] <= PLACES[place[2]] - booked[place]] == []
    assert booked.keys() <= left.keys()


def test_every_customer_has_an_address_and_a_phone_of_their_own() -> None:
    customers = made(1).customer

    assert len({row[3] for row in customers}) == len({row[4] for row in customers}) == 500


def test_the_samples_show_a_connection_five_passengers_and_a_last_seat() -> None:
    airline = made(1)
    routes = {row[0]: (row[1], row[2], row[3], row[4]) for row in airline.flight}
    left = {row[:3]: row[3] for row in airline.fare}

    (_, stop, _, arrives), (onward, _, departs, _) = (routes[leg.flight_number] for leg in sample("C0NN3C").flights)

    assert stop == onward
    assert departs > arrives
    assert len(sample("F1VEP5").passengers) == 5
    assert left["LF118", DAY + timedelta(days=6), "economy"] == 1
    assert routes["LF118"][:2] == routes["LF122"][:2]


def test_there_is_room_for_trying_a_change_a_day_after_each_samples_flight() -> None:
    airline = made(1)
    left = {row[:3]: row[3] for row in airline.fare}
    statuses = {row[:2]: row[2] for row in airline.flight_date}
    named = {(fare.flight_number, fare.days_ahead, fare.cabin) for fare in SAMPLE_FARES}

    for booked in SAMPLES:
        for leg in booked.flights:
            later = leg.days_ahead + 1
            day = DAY + timedelta(days=later)
            if later > 0 and (leg.flight_number, later, booked.cabin) not in named:
                assert left[leg.flight_number, day, booked.cabin] >= 5
                assert statuses[leg.flight_number, day] in {"available", "delayed"}


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
