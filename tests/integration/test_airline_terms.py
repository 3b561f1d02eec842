"""An offer that does not hold, for whatever reason, touches nothing."""

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
    FLIGHTS,
    GIFT_CARD,
    NAME,
    SEAT,
    Change,
    everything,
    legs,
    set_status,
)
from tests.integration.sample_airline import change
from tests.integration.small_airline import GIFT_CARD_USD, add_small_airline

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

    from runtime.database import Database, Row
    from schema.settings import Settings


@pytest.fixture(scope="module")
def connection(settings: Settings) -> Iterator[psycopg.Connection[Row]]:
    """Reach the tables above row-level security, to look and to interfere."""
    assert settings.database_url is not None
    with connect(settings.database_url) as made:
        yield made


@pytest.fixture
def airline(settings: Settings, connection: psycopg.Connection[Row]) -> str:
    return add_small_airline(settings, connection)


@pytest.mark.parametrize(
    "offered",
    [
        FLIGHTS | {"amount_usd": 10, "method_number": CARD},
        FLIGHTS | {"fee_usd": 50, "method_number": CARD},
        FLIGHTS | {"segments": legs(("SA10", 0), ("SA11", 1))},
        FLIGHTS | {"segments": []},
        FLIGHTS | {"segments": legs(("SA12", 0), ("SA12", 0))},
        FLIGHTS | {"segments": legs(("SA12", 0), ("SA11", 1), ("SA11", 1))},
        FLIGHTS | {"segments": legs(("SA99", 0), ("SA11", 1))},
        FLIGHTS | {"segments": legs(("SA12", 9), ("SA11", 1))},
        FLIGHTS | {"amount_usd": 50, "fee_usd": 50, "method_number": None},
        FLIGHTS | {"amount_usd": 50, "fee_usd": 50, "method_number": 9},
        CABIN | {"cabin": "economy", "amount_usd": 0},
        CABIN | {"cabin": "first"},
        CABIN | {"amount_usd": 799},
        CABIN | {"method_number": GIFT_CARD},
        CANCEL | {"refund_usd": 401},
        CANCEL | {"refund_usd": -1},
        BAGS | {"bags": 0},
        BAGS | {"bags": -1, "amount_usd": -50},
        BAGS | {"amount_usd": GIFT_CARD_USD + 1, "method_number": GIFT_CARD},
        BAGS | {"method_number": 3},
        NAME | {"passenger_number": 3},
        CERTIFICATE | {"amount_usd": 0},
        SEAT | {"passenger_number": 2},
        SEAT | {"from_seat": None, "passenger_number": 3},
        SEAT | {"to_seat": "13A"},
        SEAT | {"flight_number": "SA12", "from_seat": None},
    ],
    ids=str,
)
async def test_an_offer_that_does_not_hold_touches_nothing(
    database: Database, connection: psycopg.Connection[Row], airline: str, offered: Change
) -> None:
    before = everything(connection, airline)

    assert await change(database, airline, **offered) == 0
    assert everything(connection, airline) == before


@pytest.mark.parametrize("status", ["flying", "landed", "cancelled"])
@pytest.mark.parametrize(
    ("offered", "flight"),
    [(FLIGHTS, "SA12"), (CABIN, "SA11"), (SEAT, "SA10")],
    ids=["a flight to change to", "a flight of the cabin", "the seat's flight"],
)
async def test_nothing_is_sold_on_a_flight_that_is_not_open(
    database: Database,
    connection: psycopg.Connection[Row],
    airline: str,
    offered: Change,
    flight: str,
    status: str,
) -> None:
    set_status(connection, airline, flight, status)
    before = everything(connection, airline)

    assert await change(database, airline, **offered) == 0
    assert everything(connection, airline) == before


@pytest.mark.parametrize("offered", [FLIGHTS, CANCEL], ids=["change_flights", "cancel_reservation"])
@pytest.mark.parametrize(("status", "touched"), [("flying", 0), ("landed", 0), ("cancelled", 1), ("delayed", 1)])
async def test_a_flight_that_has_been_flown_is_not_given_back_and_a_cancelled_one_is(
    database: Database,
    connection: psycopg.Connection[Row],
    airline: str,
    offered: Change,
    status: str,
    touched: int,
) -> None:
    set_status(connection, airline, "SA10", status)

    assert await change(database, airline, **offered) == touched


async def test_the_way_back_can_be_changed_when_the_way_out_has_been_flown(
    database: Database, connection: psycopg.Connection[Row], airline: str
) -> None:
    set_status(connection, airline, "SA10", "landed")

    assert await change(database, airline, **FLIGHTS | {"segments": legs(("SA10", 0), ("SA11", 0))}) == 1


async def test_a_flight_with_too_few_places_left_takes_nobody(
    database: Database, connection: psycopg.Connection[Row], airline: str
) -> None:
    connection.execute("UPDATE fare SET seats_left = 1 WHERE tenant_id = %s AND flight_number = 'SA12'", [airline])
    before = everything(connection, airline)

    assert await change(database, airline, **FLIGHTS) == 0
    assert everything(connection, airline) == before
