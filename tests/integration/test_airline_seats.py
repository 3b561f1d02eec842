"""A seat belongs to one passenger, whoever asks for it and whenever."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import errors

from runtime.database import connect
from tests.integration.sample_airline import add_airline, change, day_of
from tests.unit.airline_stand_ins import PLACEHOLDER, call, make_turn, next_turn
from worker.conversation.vault import Vault
from worker.domains.airline.store.airline import PostgresAirline
from worker.domains.airline.tools.quotes import confirm_quote, quote_seat_change
from worker.domains.airline.tools.reservations import look_up_reservation
from worker.domains.airline.tools.seats import find_free_seats

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runtime.database import Database, Row
    from schema.settings import Settings
    from worker.conversation.context import TurnContext

FREE = "15A"
"""A seat on the flight of DEMO42 that the tests free of whoever has it."""


@pytest.fixture(scope="module")
def filled(settings: Settings) -> str:
    return add_airline(settings)


@pytest.fixture
def airline(filled: str, connection: psycopg.Connection[Row]) -> Iterator[str]:
    """Give the tenant, and put back afterwards what the test moved: filling one for each takes a second."""
    seats_before = connection.execute(
        "DELETE FROM seat WHERE tenant_id = %s AND flight_number IN ('LF118', 'LF162') RETURNING *", [filled]
    ).fetchall()
    _put_back(connection, [row for row in seats_before if row["seat_number"] != FREE])
    yield filled
    connection.execute("DELETE FROM seat WHERE tenant_id = %s AND flight_number IN ('LF118', 'LF162')", [filled])
    _put_back(connection, seats_before)
    connection.execute("DELETE FROM reservation_change WHERE tenant_id = %s", [filled])
    connection.execute("UPDATE reservation SET version = 0 WHERE tenant_id = %s", [filled])
    connection.execute("UPDATE reservation SET status = 'booked' WHERE tenant_id = %s AND reservation_id = 1", [filled])
    connection.execute(
        "UPDATE flight_date SET status = 'available' "
        "WHERE tenant_id = %s AND flight_number = 'LF118' AND flight_date = %s",
        [filled, day_of(5)],
    )


def _put_back(connection: psycopg.Connection[Row], rows: list[Row]) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO seat VALUES (%(tenant_id)s, %(flight_number)s, %(flight_date)s, %(seat_number)s, "
            "%(reservation_id)s, %(passenger_number)s, %(price_usd)s)",
            rows,
        )


@pytest.fixture
def connection(settings: Settings) -> Iterator[psycopg.Connection[Row]]:
    """Reach the tables above row-level security, to look and to interfere."""
    assert settings.database_url is not None
    with connect(settings.database_url) as made:
        yield made


def seats(connection: psycopg.Connection[Row], tenant: str) -> dict[str, tuple[int, int]]:
    """Give who has which seat on the flight of DEMO42: reservation and passenger by seat."""
    rows = connection.execute(
        "SELECT seat_number, reservation_id, passenger_number FROM seat "
        "WHERE tenant_id = %s AND flight_number = 'LF118' AND flight_date = %s",
        [tenant, day_of(5)],
    )
    return {row["seat_number"]: (row["reservation_id"], row["passenger_number"]) for row in rows}


OFFERED = {"version": 0, "conversation_id": "c-2", "tool_call_id": "call_1", "details": None}


def wish(reservation: int, passenger: int, from_seat: str | None, to_seat: str) -> dict[str, Any]:
    return {
        "reservation_id": reservation,
        "passenger_number": passenger,
        "flight_number": "LF118",
        "flight_date": day_of(5).isoformat(),
        "from_seat": from_seat,
        "to_seat": to_seat,
        "price_usd": 0,
        "method_number": None,
    }


async def test_a_move_takes_the_new_seat_and_releases_the_old(
    database: Database, connection: psycopg.Connection[Row], airline: str
) -> None:
    touched = await change(database, airline, "move_to_seat", **wish(1, 1, "14C", FREE))

    after = seats(connection, airline)
    assert touched == 1
    assert after[FREE] == (1, 1)
    assert "14C" not in after


async def test_of_many_who_want_one_seat_at_the_same_time_one_gets_it(
    database: Database, connection: psycopg.Connection[Row], airline: str
) -> None:
    before = seats(connection, airline)
    rivals = [(owner, seat) for seat, owner in before.items()]
    assert len(rivals) > 1

    touched = await asyncio.gather(
        *(
            change(database, airline, "move_to_seat", **wish(*owner, seat, FREE))
            for owner, seat in rivals
            for _ in range(4)
        )
    )

    after = seats(connection, airline)
    assert sum(touched) == 1
    assert sorted(after.values()) == sorted(before.values())
    assert FREE in after


async def test_a_move_waits_for_a_rival_under_way_and_gives_up_when_that_one_commits(
    database: Database, connection: psycopg.Connection[Row], airline: str
) -> None:
    rival = next(owner for seat, owner in seats(connection, airline).items() if seat != "14C")
    rival_seat = next(seat for seat, owner in seats(connection, airline).items() if owner == rival)

    async with database.transaction(airline) as first:
        assert await first.count("move_to_seat", OFFERED | wish(*rival, rival_seat, FREE)) == 1
        second = asyncio.create_task(change(database, airline, "move_to_seat", **wish(1, 1, "14C", FREE)))
        await _until_somebody_waits(connection)

    assert await second == 0
    assert seats(connection, airline)[FREE] == rival
    assert seats(connection, airline)["14C"] == (1, 1)


async def test_a_move_gets_the_seat_when_the_rival_under_way_gives_up(
    database: Database, connection: psycopg.Connection[Row], airline: str
) -> None:
    rival_seat, rival = next(item for item in seats(connection, airline).items() if item[0] != "14C")

    async def give_up_while_somebody_waits() -> asyncio.Task[int]:
        with suppress(psycopg.Rollback):
            async with database.transaction(airline) as first:
                await first.count("move_to_seat", OFFERED | wish(*rival, rival_seat, FREE))
                waiting = asyncio.create_task(change(database, airline, "move_to_seat", **wish(1, 1, "14C", FREE)))
                await _until_somebody_waits(connection)
                raise psycopg.Rollback
        return waiting

    second = await give_up_while_somebody_waits()

    assert await second == 1
    assert seats(connection, airline)[FREE] == (1, 1)


@pytest.mark.parametrize(
    "other",
    [
        {"from_seat": "14D"},
        {"from_seat": None},
        {"reservation_id": 2},
        {"passenger_number": 2},
        {"flight_number": "LF119"},
        {"to_seat": "9F"},
    ],
    ids=["sits elsewhere", "has a seat", "another's booking", "nobody", "another flight", "taken by another"],
)
async def test_a_move_whose_offer_no_longer_holds_touches_nothing(
    database: Database, connection: psycopg.Connection[Row], airline: str, other: dict[str, Any]
) -> None:
    before = seats(connection, airline)

    touched = await change(database, airline, "move_to_seat", **{**wish(1, 1, "14C", FREE), **other})

    assert touched == 0
    assert seats(connection, airline) == before


@pytest.mark.parametrize(
    "statement",
    [
        (
            "UPDATE flight_date SET status = 'flying' "
            "WHERE tenant_id = %(tenant)s AND flight_number = 'LF118' AND flight_date = %(day)s"
        ),
        "UPDATE reservation SET status = 'cancelled' WHERE tenant_id = %(tenant)s AND reservation_id = 1",
    ],
    ids=["flight left", "booking cancelled"],
)
async def test_a_move_on_a_closed_flight_or_booking_touches_nothing(
    database: Database, connection: psycopg.Connection[Row], airline: str, statement: str
) -> None:
    connection.execute(statement.encode(), {"tenant": airline, "day": day_of(5)})

    assert await change(database, airline, "move_to_seat", **wish(1, 1, "14C", FREE)) == 0


async def test_another_tenant_cannot_move_a_passenger(database: Database, airline: str, tenant: str) -> None:
    assert await change(database, tenant, "move_to_seat", **wish(1, 1, "14C", FREE)) == 0


async def test_a_passenger_without_a_seat_gets_one_and_only_one(
    database: Database, connection: psycopg.Connection[Row], airline: str
) -> None:
    reservation = connection.execute(
        "SELECT reservation_id FROM reservation WHERE tenant_id = %s AND confirmation_number = 'N0S3AT'", [airline]
    ).fetchone()
    assert reservation is not None
    unseated = {
        **wish(reservation["reservation_id"], 1, None, FREE),
        "flight_number": "LF162",
        "flight_date": day_of(6).isoformat(),
    }

    touched = await asyncio.gather(
        *(change(database, airline, "move_to_seat", **{**unseated, "to_seat": f"{row}E"}) for row in range(20, 28))
    )

    assert sum(touched) == 1


def test_the_database_itself_refuses_a_seat_twice(connection: psycopg.Connection[Row], airline: str) -> None:
    with pytest.raises(errors.UniqueViolation, match="seat_belongs_to_one_passenger"):
        connection.execute(
            "UPDATE seat SET seat_number = '14C' "
            "WHERE tenant_id = %s AND seat_number = '9F' AND flight_number = 'LF118' AND flight_date = %s",
            [airline, day_of(5)],
        )


async def test_a_customer_changes_a_seat_from_look_up_to_commit(
    database: Database, connection: psycopg.Connection[Row], airline: str
) -> None:
    turn = _turn(database, airline, "DEMO42", f"Okafor, {PLACEHOLDER}, seat {FREE} please")

    shown = await call(look_up_reservation, turn, confirmation_number=PLACEHOLDER, surname="Okafor")
    offered = await call(find_free_seats, turn, preference="window")
    quoted = await call(quote_seat_change, turn, seat_number=FREE)
    turn = next_turn(turn, "yes please", key=turn.key, now=turn.now)
    confirmed = await call(confirm_quote, turn, quote_id=quoted["quote"]["quote_id"])
    async with database.transaction(airline) as transaction:
        touched = [await turn.backend.apply(airline, effect, transaction) for effect in turn.effects]

    assert shown["reservation"]["passengers"] == [{"name": "Ada Okafor", "seats": {"LF118": "14C"}}]
    assert offered["current_seat"] == "14C"
    assert confirmed["ok"]
    assert (confirmed["kind"], confirmed["seat_number"], confirmed["price_usd"]) == ("seat_change", FREE, 0)
    assert touched == [effect.rows for effect in turn.effects] == [1]
    assert seats(connection, airline)[FREE] == (1, 1)
    assert "DEMO42" not in json.dumps([shown, offered, quoted, confirmed]) + turn.airline.model_dump_json()


async def test_of_two_customers_who_say_yes_to_one_seat_one_commits(
    database: Database, connection: psycopg.Connection[Row], airline: str
) -> None:
    turns = []
    for number, surname in (("DEMO42", "Okafor"), ("Z0EL7A", "Lindqvist-Åkerman")):
        turn = _turn(database, airline, number, f"{surname}, {PLACEHOLDER}, seat {FREE} please")
        await call(look_up_reservation, turn, confirmation_number=PLACEHOLDER, surname=surname)
        quoted = await call(quote_seat_change, turn, seat_number=FREE)
        turn = next_turn(turn, "yes", key=turn.key, now=turn.now)
        assert (await call(confirm_quote, turn, quote_id=quoted["quote"]["quote_id"]))["ok"]
        turns.append(turn)

    touched = await asyncio.gather(
        *(change(database, airline, "move_to_seat", **turn.effects[0].parameters) for turn in turns)
    )

    assert sorted(touched) == [0, 1]
    assert list(seats(connection, airline)).count(FREE) == 1


def _turn(database: Database, tenant: str, number: str, text: str) -> TurnContext:
    made = make_turn(text=text)
    return replace(
        made,
        key=made.key._replace(tenant=tenant),
        vault=Vault({PLACEHOLDER: number}),
        backend=PostgresAirline(database),
        now=datetime.now(UTC),
    )


async def _until_somebody_waits(connection: psycopg.Connection[Row]) -> None:
    async with asyncio.timeout(10):
        while True:
            row = connection.execute(
                "SELECT count(*) AS waiting FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE %s",
                ["%FROM move_to_seat(%"],
            ).fetchone()
            if row is not None and row["waiting"]:
                return
            await asyncio.sleep(0.01)
