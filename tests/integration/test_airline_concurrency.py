"""Whatever many conversations do to a few bookings at the same time, the airline's books stay right."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import Phase, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from psycopg import errors

from runtime.database import connect
from tests.integration.small_airline import (
    BOOKINGS,
    CABINS,
    GIFT_CARD_USD,
    add_small_airline,
    day_of,
    paid_at_first,
)
from worker.conversation.effects import Effect
from worker.domains.airline.store.airline import PostgresAirline

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

    from runtime.database import Database, Row
    from schema.settings import Settings
    from worker.domains.airline.records.backend import Fare, Reservation

Wish = tuple[str, int, Any]  # which change, of which reservation, and how
Turn = tuple[list[Wish], int]  # the changes of one turn, and how many workers hold it

NUMBERS = {booking.reservation_id: booking.confirmation_number for booking in BOOKINGS}
BOOKING = st.sampled_from(sorted(NUMBERS))
METHOD = st.sampled_from([1, 1, 2, 3])
LEG = st.tuples(st.sampled_from(["SA10", "SA12", "SA11", "SA20"]), st.integers(0, 1))
WISH = st.one_of(
    st.tuples(
        st.just("move_to_seat"),
        BOOKING,
        st.tuples(st.integers(1, 2), st.integers(0, 1), st.sampled_from(["1A", "11A", "13A", "20B"])),
    ),
    st.tuples(
        st.just("change_flights"), BOOKING, st.tuples(st.lists(LEG, min_size=1, max_size=2, unique=True), METHOD)
    ),
    st.tuples(st.just("change_cabin"), BOOKING, st.tuples(st.sampled_from(CABINS), METHOD)),
    st.tuples(st.just("cancel_reservation"), BOOKING, st.sampled_from([0, 100, None])),
    st.tuples(st.just("add_bags"), BOOKING, st.tuples(st.integers(1, 2), METHOD)),
    st.tuples(st.just("correct_passenger"), BOOKING, st.sampled_from(["Ida", "Eda"])),
    st.tuples(st.just("issue_certificate"), BOOKING, st.sampled_from(["cancelled_flight", "delayed_flight"])),
    st.tuples(st.just("reprice"), BOOKING, st.integers(60, 400)),
)
WORKERS = st.integers(1, 2)
TURNS = st.one_of(
    st.lists(st.tuples(st.lists(WISH, min_size=1, max_size=1), WORKERS), min_size=2, max_size=8),
    st.lists(st.tuples(st.lists(WISH, min_size=1, max_size=2), WORKERS), min_size=2, max_size=8),
)


REPRICE = """
    UPDATE fare SET price_usd = %(price_usd)s
    WHERE flight_number = %(flight_number)s AND flight_date = %(flight_date)s AND cabin = 'economy'
"""
WALLETS = """
    SELECT m.customer_id, sum(m.balance_usd) AS balance_usd, min(m.balance_usd) AS least_usd,
        (SELECT coalesce(-sum(g.amount_usd), 0) FROM reservation_change g
            JOIN reservation r USING (tenant_id, reservation_id)
            WHERE g.tenant_id = m.tenant_id AND r.customer_id = m.customer_id AND g.kind = 'issue_certificate') AS given
    FROM payment_method m WHERE m.tenant_id = %s AND m.kind <> 'card' GROUP BY m.tenant_id, m.customer_id
"""
SEATS_OF_NOBODY = """
    SELECT s.seat_number FROM seat s JOIN reservation r USING (tenant_id, reservation_id)
    LEFT JOIN reservation_segment g USING (tenant_id, reservation_id, flight_number, flight_date)
    WHERE s.tenant_id = %s AND (g.segment_number IS NULL OR r.status = 'cancelled')
"""


class NoLongerHolds(Exception):
    """Give a transaction up, as a turn's commit does."""


@pytest.fixture(scope="module")
def connection(settings: Settings) -> Iterator[psycopg.Connection[Row]]:
    """Reach the tables above row-level security."""
    assert settings.database_url is not None
    with connect(settings.database_url) as made:
        yield made


@given(rounds=st.lists(TURNS, min_size=1, max_size=2))
@examples(max_examples=20, deadline=None, phases=[Phase.generate])  # what hangs on timing shrinks to nothing
async def test_the_books_stay_right_under_concurrent_changes(
    settings: Settings, connection: psycopg.Connection[Row], database: Database, rounds: list[list[Turn]]
) -> None:
    tenant = add_small_airline(settings, connection)
    places_before = places(connection, tenant)

    made: set[str] = set()
    for number, turns in enumerate(rounds):
        offers = [await prepare(database, tenant, f"{number}-{turn}", wishes) for turn, (wishes, _) in enumerate(turns)]
        held = [offer for offer, (_, workers) in zip(offers, turns, strict=True) for _ in range(workers)]
        crossing = any(len(offer) > 1 for offer in held)  # two changes in one turn may take their locks in any order
        for calls in await asyncio.gather(*(commit(database, tenant, offer, crossing=crossing) for offer in held)):
            made |= calls

    assert places(connection, tenant) == places_before
    assert_each_change_is_made_once(connection, tenant, made)
    assert_money_adds_up(connection, tenant)
    assert_no_seat_is_kept_by_who_does_not_fly(connection, tenant)


async def test_changes_that_cross_do_not_block_each_other(
    settings: Settings, connection: psycopg.Connection[Row], database: Database
) -> None:
    tenant = add_small_airline(settings, connection)
    flights = [("SA10", 0), ("SA12", 0)]

    made = 0
    for number in range(12):
        there, back = flights[number % 2], flights[1 - number % 2]
        turns = {1: [there], 2: [back], 3: [there]}
        offers = [
            await prepare(database, tenant, f"{number}-{booking}", [("change_flights", booking, (legs, 1))])
            for booking, legs in turns.items()
        ]
        made += sum(
            map(len, await asyncio.gather(*(commit(database, tenant, offer, crossing=False) for offer in offers)))
        )

    assert made > 12


async def prepare(database: Database, tenant: str, turn: str, wishes: list[Wish]) -> list[Effect]:
    """Offer what is wished for at the prices and versions of this moment, as a quote does."""
    airline = PostgresAirline(database)
    effects: list[Effect] = []
    ahead: Counter[int] = Counter()  # changes of one booking that stand before this one in the turn
    for ordinal, (name, reservation_id, how) in enumerate(wishes):
        found = await airline.find_reservation(tenant, NUMBERS[reservation_id])
        assert found is not None
        if name == "reprice":
            leg = {"flight_number": found.segments[0].flight_number, "flight_date": found.segments[0].flight_date}
            effects.append(Effect("reprice", {"price_usd": how, **leg}, ""))
            continue
        effects.append(
            Effect(
                name,
                {
                    "reservation_id": reservation_id,
                    "version": found.version + ahead[reservation_id],
                    "conversation_id": "c-1",
                    "tool_call_id": f"call_{turn}_{ordinal}",
                    "details": {},
                    **await terms(airline, tenant, found, name, how),
                },
                name,
            )
        )
        ahead[reservation_id] += 1
    return effects


async def terms(airline: PostgresAirline, tenant: str, found: Reservation, name: str, how: Any) -> dict[str, Any]:
    """Say what a change takes, beyond what every change does."""
    people = len(found.passengers)

    async def fare(flight: str, days: int, cabin: str) -> Fare:
        offered = await airline.find_flight(tenant, flight, day_of(days))
        assert offered is not None
        return next(f for f in offered.fares if f.cabin == cabin)

    taken: dict[str, Any]
    match name:
        case "move_to_seat":
            passenger, leg, to_seat = how
            segment = found.segments[min(leg, len(found.segments) - 1)]
            sits = {(s.flight_number, s.flight_date, s.passenger_number): s.seat_number for s in found.seats}
            taken = {
                "flight_number": segment.flight_number,
                "flight_date": segment.flight_date,
                "passenger_number": passenger,
                "from_seat": sits.get((segment.flight_number, segment.flight_date, passenger)),
                "to_seat": to_seat,
                "price_usd": 35 if to_seat == "1A" else 0,
                "method_number": 1,
            }
        case "change_flights":
            legs, method = how
            stay = {(s.flight_number, s.flight_date): s.price_usd for s in found.segments}
            new = [stay.get((n, day_of(d))) or (await fare(n, d, found.cabin)).price_usd for n, d in legs]
            segments = [{"flight_number": n, "flight_date": day_of(d).isoformat()} for n, d in legs]
            due = (sum(new) - sum(stay.values())) * people + 50
            taken = {"segments": segments, "amount_usd": due, "fee_usd": 50, "method_number": method}
        case "change_cabin":
            cabin, method = how
            flights = [(s.flight_number, (s.flight_date - day_of(0)).days) for s in found.segments]
            new = [(await fare(number, days, cabin)).price_usd for number, days in flights]
            due = (sum(new) - sum(s.price_usd for s in found.segments)) * people
            taken = {"cabin": cabin, "amount_usd": due, "method_number": method}
        case "cancel_reservation":
            paid = sum(payment.amount_usd for payment in found.payments)
            taken = {"refund_usd": paid if how is None else min(how, max(paid, 0))}
        case "add_bags":
            taken = {"bags": how[0], "amount_usd": 50 * how[0], "method_number": how[1], "details": {"bags": how[0]}}
        case "correct_passenger":
            taken = {"passenger_number": 1, "given_name": how, "surname": "Okafor"}
        case _:
            taken = {"amount_usd": 100 * people, "reason": how}
    return taken


async def commit(database: Database, tenant: str, effects: list[Effect], *, crossing: bool) -> set[str]:
    """Make the changes of a turn as its commit does: all or none; gives the tool calls of those made."""
    try:
        await make(database, tenant, effects)
    except NoLongerHolds:
        return set()
    except errors.DeadlockDetected:
        assert crossing, "each change takes its locks in one order"
        return set()
    return {effect.parameters["tool_call_id"] for effect in effects if effect.query != "reprice"}


async def make(database: Database, tenant: str, effects: list[Effect]) -> None:
    airline = PostgresAirline(database)
    async with database.transaction(tenant) as transaction:
        for effect in effects:
            if effect.query == "reprice":
                await transaction.connection.execute(REPRICE, effect.parameters)
            elif await airline.apply(tenant, effect, transaction) != 1:
                raise NoLongerHolds


def places(connection: psycopg.Connection[Row], tenant: str) -> dict[tuple[str, int, str], int]:
    """Count the places of each flight and cabin: those left, and those of passengers."""
    rows = connection.execute(
        "SELECT f.flight_number, f.flight_date, f.cabin, f.seats_left, (SELECT count(*) FROM reservation_segment s "
        "JOIN reservation r USING (tenant_id, reservation_id) JOIN reservation_passenger p "
        "USING (tenant_id, reservation_id) WHERE s.tenant_id = f.tenant_id AND s.flight_number = f.flight_number "
        "AND s.flight_date = f.flight_date AND r.cabin = f.cabin AND r.status = 'booked') AS booked "
        "FROM fare f WHERE tenant_id = %s",
        [tenant],
    ).fetchall()
    assert all(row["seats_left"] >= 0 for row in rows)
    return {
        (row["flight_number"], (row["flight_date"] - day_of(0)).days, row["cabin"]): row["seats_left"] + row["booked"]
        for row in rows
    }


def assert_each_change_is_made_once(connection: psycopg.Connection[Row], tenant: str, made: set[str]) -> None:
    ledger = connection.execute(
        "SELECT tool_call_id, reservation_id, version, kind, details FROM reservation_change WHERE tenant_id = %s "
        "ORDER BY reservation_id, version",
        [tenant],
    ).fetchall()
    assert {row["tool_call_id"] for row in ledger} == made
    assert len(ledger) == len(made)
    for row in reservations(connection, tenant):
        own = [change for change in ledger if change["reservation_id"] == row["reservation_id"]]
        assert [change["version"] for change in own] == list(range(1, row["version"] + 1))
        assert row["checked_bags"] == sum(change["details"].get("bags", 0) for change in own)
        reasons = [change["details"]["reason"] for change in own if change["kind"] == "issue_certificate"]
        assert len(reasons) == len(set(reasons))


def assert_money_adds_up(connection: psycopg.Connection[Row], tenant: str) -> None:
    owed = {booking.reservation_id: paid_at_first(booking) for booking in BOOKINGS}
    paid_with: Counter[tuple[int, int]] = Counter()
    for row in reservations(connection, tenant):
        paid: Counter[str] = Counter()
        for payment in row["payments"]:
            paid[payment["for"]] += payment["amount_usd"]
            paid_with[row["customer_id"], payment["method_number"]] += payment["amount_usd"]
        assert paid.total() == owed[row["reservation_id"]] + row["ledger_usd"]
        assert paid.total() >= 0
        assert paid["fare"] == row["fare_usd"]
        assert paid["bags"] == 50 * row["checked_bags"]
        assert paid["seat"] >= row["seats_usd"]  # what was paid for a seat is not given back with it
        assert paid["refund"] == 0 or row["status"] == "cancelled"
    for wallet in connection.execute(WALLETS, [tenant]):
        spent = sum(usd for (who, method), usd in paid_with.items() if who == wallet["customer_id"] and method != 1)
        assert wallet["least_usd"] >= 0
        assert wallet["balance_usd"] == GIFT_CARD_USD + wallet["given"] - spent


def assert_no_seat_is_kept_by_who_does_not_fly(connection: psycopg.Connection[Row], tenant: str) -> None:
    assert connection.execute(SEATS_OF_NOBODY, [tenant]).fetchall() == []


def reservations(connection: psycopg.Connection[Row], tenant: str) -> list[Row]:
    """Read the bookings with what their flights and seats cost, and what the ledger says was paid since."""
    return connection.execute(
        "SELECT r.*, (SELECT sum(s.price_usd) FROM reservation_segment s WHERE s.tenant_id = r.tenant_id "
        "AND s.reservation_id = r.reservation_id) * (SELECT count(*) FROM reservation_passenger p "
        "WHERE p.tenant_id = r.tenant_id AND p.reservation_id = r.reservation_id) AS fare_usd, "
        "(SELECT coalesce(sum(t.price_usd), 0) FROM seat t WHERE t.tenant_id = r.tenant_id "
        "AND t.reservation_id = r.reservation_id) AS seats_usd, "
        "(SELECT coalesce(sum(g.amount_usd), 0) FROM reservation_change g WHERE g.tenant_id = r.tenant_id "
        "AND g.reservation_id = r.reservation_id AND g.kind <> 'issue_certificate') AS ledger_usd "
        "FROM reservation r WHERE tenant_id = %s ORDER BY reservation_id",
        [tenant],
    ).fetchall()
