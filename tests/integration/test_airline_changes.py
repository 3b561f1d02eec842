"""What a change of a reservation does, and when it does nothing: each on the tables, as a turn's commit makes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runtime.database import connect
from tests.integration.airline_offers import (
    BAGS,
    CABIN,
    CANCEL,
    CARD,
    CERTIFICATE,
    CHANGES,
    FLIGHTS,
    GIFT_CARD,
    NAME,
    SEAT,
    Change,
    every_change,
    everything,
    legs,
    reprice,
    set_status,
)
from tests.integration.sample_airline import change
from tests.integration.small_airline import GIFT_CARD_USD, add_small_airline, day_of
from worker.domains.airline.records.backend import Fare, FlightGivenUp, Payment, PaymentMethod, SeatTaken
from worker.domains.airline.store.airline import PostgresAirline

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

    from runtime.database import Database, Row
    from schema.settings import Settings
    from worker.domains.airline.records.backend import Reservation


@pytest.fixture(scope="module")
def connection(settings: Settings) -> Iterator[psycopg.Connection[Row]]:
    """Reach the tables above row-level security, to look and to interfere."""
    assert settings.database_url is not None
    with connect(settings.database_url) as made:
        yield made


@pytest.fixture
def airline(settings: Settings, connection: psycopg.Connection[Row]) -> str:
    return add_small_airline(settings, connection)


async def read(database: Database, tenant: str, number: str = "AAAA11") -> Reservation:
    found = await PostgresAirline(database).find_reservation(tenant, number)
    assert found is not None
    return found


async def fare(database: Database, tenant: str, flight: str, days: int = 0, cabin: str = "economy") -> Fare:
    found = await PostgresAirline(database).find_flight(tenant, flight, day_of(days))
    assert found is not None
    return next(offered for offered in found.fares if offered.cabin == cabin)


async def test_a_seat_that_costs_extra_is_paid(database: Database, airline: str) -> None:
    assert await change(database, airline, **SEAT) == 1

    after = await read(database, airline)
    assert SeatTaken("SA10", day_of(0), 1, "2A", 35) in after.seats
    assert after.payments[-1] == Payment("card", 35, "seat", CARD)


async def test_a_change_of_flights_moves_places_and_leaves_what_stays(database: Database, airline: str) -> None:
    before = await read(database, airline)

    touched = await change(database, airline, **FLIGHTS)

    after = await read(database, airline)
    assert touched == 1
    assert [(s.number, s.flight_number, s.flight_date) for s in after.segments] == [
        (1, "SA12", day_of(0)),
        (2, "SA11", day_of(1)),
    ]
    assert after.seats == tuple(seat for seat in before.seats if seat.flight_number == "SA11")
    assert (after.version, after.payments) == (1, before.payments)
    assert after.changed_at is not None
    assert (await fare(database, airline, "SA10")).seats_left == 4
    assert (await fare(database, airline, "SA12")).seats_left == 0
    assert (await fare(database, airline, "SA11", 1)).seats_left == 2


async def test_a_change_of_flights_costs_the_difference_to_what_was_paid_and_the_fee(
    database: Database, connection: psycopg.Connection[Row], airline: str
) -> None:
    reprice(connection, airline, "SA12", 130)
    reprice(connection, airline, "SA11", 999)  # of a flight that stays: paid for already

    touched = await change(
        database, airline, **FLIGHTS | {"amount_usd": 110, "fee_usd": 50, "method_number": GIFT_CARD}
    )

    after = await read(database, airline)
    assert touched == 1
    assert [s.price_usd for s in after.segments] == [130, 100]
    assert after.payments[1:] == (
        Payment("gift_card", 60, "fare", GIFT_CARD),
        Payment("gift_card", 50, "fee", GIFT_CARD),
    )
    assert after.customer.payment_methods[1].balance_usd == GIFT_CARD_USD - 110


async def test_a_flight_given_up_is_remembered_with_the_status_it_had(
    database: Database, connection: psycopg.Connection[Row], airline: str
) -> None:
    set_status(connection, airline, "SA10", "delayed")
    await change(database, airline, **FLIGHTS)
    set_status(connection, airline, "SA10", "landed")

    after = await read(database, airline)
    assert after.given_up == (FlightGivenUp("SA10", day_of(0), "delayed"),)


async def test_cheaper_flights_pay_back(database: Database, connection: psycopg.Connection[Row], airline: str) -> None:
    reprice(connection, airline, "SA12", 70)

    assert await change(database, airline, **FLIGHTS | {"amount_usd": -60, "method_number": CARD}) == 1

    after = await read(database, airline)
    assert after.payments[-1] == Payment("card", -60, "fare", CARD)


async def test_a_direct_flight_may_become_one_with_a_stop(database: Database, airline: str) -> None:
    segments = legs(("SA20", 0), ("SA21", 0), ("SA11", 1))

    touched = await change(
        database, airline, **FLIGHTS | {"segments": segments, "amount_usd": 200, "method_number": CARD}
    )

    after = await read(database, airline)
    assert touched == 1
    assert [(s.number, s.flight_number) for s in after.segments] == [(1, "SA20"), (2, "SA21"), (3, "SA11")]


async def test_a_change_of_cabin_moves_every_place_and_keeps_the_seats(database: Database, airline: str) -> None:
    before = await read(database, airline)

    touched = await change(database, airline, **CABIN)

    after = await read(database, airline)
    assert touched == 1
    assert (after.cabin, [s.price_usd for s in after.segments]) == ("business", [300, 300])
    assert (after.seats, after.payments[-1]) == (before.seats, Payment("card", 800, "fare", CARD))
    assert after.changed_at is None
    for flight, days in (("SA10", 0), ("SA11", 1)):
        assert (await fare(database, airline, flight, days)).seats_left == 4
        assert (await fare(database, airline, flight, days, "business")).seats_left == 0


async def test_a_cancellation_frees_seats_and_places_and_pays_back_to_where_it_came_from(
    database: Database, airline: str
) -> None:
    await change(database, airline, **BAGS | {"method_number": GIFT_CARD})

    touched = await change(database, airline, **CANCEL | {"version": 1, "refund_usd": 500})

    after = await read(database, airline)
    assert touched == 1
    assert (after.status, after.seats) == ("cancelled", ())
    assert after.payments[2:] == (
        Payment("card", -400, "refund", CARD),
        Payment("gift_card", -100, "refund", GIFT_CARD),
    )
    assert after.customer.payment_methods[1].balance_usd == GIFT_CARD_USD
    assert (await fare(database, airline, "SA10")).seats_left == 4


async def test_bags_are_added_to_those_there_are(database: Database, airline: str) -> None:
    assert await change(database, airline, **BAGS) == 1
    assert await change(database, airline, **BAGS | {"version": 1, "bags": 1, "amount_usd": 0}) == 1

    after = await read(database, airline)
    assert (after.checked_bags, after.payments[1:]) == (3, (Payment("card", 100, "bags", CARD),))


async def test_a_corrected_name_stays_the_same_passengers(database: Database, airline: str) -> None:
    before = await read(database, airline)

    assert await change(database, airline, **NAME) == 1

    after = await read(database, airline)
    assert [(p.number, p.name) for p in after.passengers] == [(1, "Ada Okafor"), (2, "Ida Okafor")]
    assert after.passengers[1].born_on == before.passengers[1].born_on


async def test_a_certificate_is_added_to_what_the_customer_can_pay_with(database: Database, airline: str) -> None:
    assert await change(database, airline, **CERTIFICATE) == 1

    after = await read(database, airline)
    assert after.customer.payment_methods[2:] == (PaymentMethod(3, "certificate", None, 200),)
    assert (after.certificates_usd, len(after.payments)) == (200, 1)
    assert (await read(database, airline, "BBBB22")).customer == after.customer


async def test_a_certificate_is_given_once_for_a_reason_also_after_a_cancellation(
    database: Database, airline: str
) -> None:
    assert await change(database, airline, **CANCEL) == 1
    assert await change(database, airline, **CERTIFICATE | {"version": 1}) == 1
    assert await change(database, airline, **CERTIFICATE | {"version": 2}) == 0
    assert await change(database, airline, **CERTIFICATE | {"version": 2, "reason": "delayed_flight"}) == 1

    assert (await read(database, airline)).certificates_usd == 400


@every_change
async def test_a_change_is_written_down_and_advances_the_version(
    database: Database, connection: psycopg.Connection[Row], airline: str, offered: Change
) -> None:
    await change(
        database, airline, **offered, conversation_id="c-7", tool_call_id="call_7", details={"summary": "as told"}
    )

    rows = connection.execute("SELECT * FROM reservation_change WHERE tenant_id = %s", [airline]).fetchall()
    assert [(r["conversation_id"], r["tool_call_id"], r["reservation_id"], r["version"], r["kind"]) for r in rows] == [
        ("c-7", "call_7", 1, 1, offered["name"])
    ]
    assert rows[0]["details"]["summary"] == "as told"
    assert (await read(database, airline)).version == 1


@every_change
async def test_a_tool_call_made_twice_takes_effect_once(
    database: Database, connection: psycopg.Connection[Row], airline: str, offered: Change
) -> None:
    assert await change(database, airline, **offered, tool_call_id="call_7") == 1
    once = everything(connection, airline)

    assert await change(database, airline, **offered, tool_call_id="call_7") == 1
    assert everything(connection, airline) == once


@every_change
@pytest.mark.parametrize(
    "stale",
    [{"version": 1}, {"version": None}, {"reservation_id": 99}, {"tool_call_id": "call_taken"}],
    ids=["another version", "no version", "no such reservation", "a call that made another change"],
)
async def test_a_stale_offer_touches_nothing(
    database: Database,
    connection: psycopg.Connection[Row],
    airline: str,
    offered: Change,
    stale: Change,
) -> None:
    await change(database, airline, **CERTIFICATE | {"reservation_id": 2, "tool_call_id": "call_taken"})
    before = everything(connection, airline)

    assert await change(database, airline, **offered | stale) == 0
    assert everything(connection, airline) == before


@every_change
async def test_another_tenant_changes_nothing(
    database: Database, connection: psycopg.Connection[Row], airline: str, tenant: str, offered: Change
) -> None:
    before = everything(connection, airline)

    assert await change(database, tenant, **offered) == 0
    assert everything(connection, airline) == before


@pytest.mark.parametrize("offered", [c for c in CHANGES if c is not CERTIFICATE], ids=lambda offered: offered["name"])
async def test_a_cancelled_reservation_changes_no_more(
    database: Database, connection: psycopg.Connection[Row], airline: str, offered: Change
) -> None:
    await change(database, airline, **CANCEL)
    before = everything(connection, airline)

    assert await change(database, airline, **offered | {"version": 1}) == 0
    assert everything(connection, airline) == before
