"""Whatever the rules let a tool offer, the database makes: they agree on every price and every condition."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.integration.sample_airline import add_airline
from tests.unit.airline_stand_ins import make_turn
from worker.conversation.effects import Effect
from worker.conversation.refusal import Refusal
from worker.domains.airline.offers.kinds import PROPOSE
from worker.domains.airline.records.backend import backend_of
from worker.domains.airline.records.booking import Booking
from worker.domains.airline.store.airline import PostgresAirline

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from runtime.database import Database
    from schema.settings import Settings
    from worker.conversation.context import TurnContext
    from worker.domains.airline.offers.offer import Offer
    from worker.domains.airline.records.backend import Reservation

BOOKINGS = 16


@pytest.fixture(scope="module")
def airline(settings: Settings) -> str:
    return add_airline(settings)


async def bookings_of(database: Database, tenant: str) -> AsyncIterator[Reservation]:
    """Give the sample's bookings with a fixed number, and others drawn from its two thousand."""
    async with database.transaction(tenant) as transaction:
        cursor = await transaction.connection.execute(
            "SELECT confirmation_number FROM reservation ORDER BY reservation_id"
        )
        numbers = [row["confirmation_number"] for row in await cursor.fetchall()]
    backend = PostgresAirline(database)
    for number in [*numbers[:12], *Random(4).sample(numbers[12:], BOOKINGS)]:  # noqa: S311 - a draw, not a secret
        found = await backend.find_reservation(tenant, number)
        assert found is not None
        yield found


async def wishes_for(turn: TurnContext, reservation: Reservation) -> list[tuple[str, dict[str, Any]]]:
    """Wish for one change of each kind; of flights, for the first to be found on the day after."""
    leg = reservation.segments[0]
    day = leg.flight_date + timedelta(days=1)
    found = await backend_of(turn).search_flights(turn.key.tenant, leg.origin, leg.destination, day)
    rest = [{"flight_number": s.flight_number, "date": s.flight_date.isoformat()} for s in reservation.segments[1:]]
    others = [[{"flight_number": f.flight_number, "date": f.flight_date.isoformat()} for f in c] for c in found[:3]]
    passenger = reservation.passengers[-1]
    name = {"passenger_name": passenger.name, "given_name": passenger.given_name, "surname": passenger.surname + "e"}
    return [
        ("seat_change", {"preference": "any"}),
        ("seat_change", {"seat_number": "1A"}),
        *(("flight_change", {"flights": [*flights, *rest]}) for flights in others),
        ("cancellation", {"reason": "health"}),
        ("bags", {"additional_bags": 3}),
        ("bags", {"additional_bags": 1, "payment_method": 2}),
        ("passenger_correction", name),
        *(("cabin_change", {"cabin": cabin}) for cabin in ("basic_economy", "economy", "business")),
        ("compensation", {"complaint": "cancelled_flight"}),
        ("compensation", {"complaint": "delayed_flight"}),
    ]


async def make(turn: TurnContext, database: Database, booking: Booking, offer: Offer) -> int:
    """Apply an offer's effect, and take it back."""
    shared = {
        "reservation_id": booking.reservation.reservation_id,
        "version": booking.reservation.version,
        "conversation_id": "c",
        "tool_call_id": "call_1",
        "details": dict(offer.ledger),
    }
    effect = Effect(offer.query, {**shared, **offer.change}, "offered")
    touched = 0
    with suppress(psycopg.Rollback):
        async with database.transaction(turn.key.tenant) as transaction:
            touched = await turn.backend.apply(turn.key.tenant, effect, transaction)
            raise psycopg.Rollback
    return touched


async def test_what_is_offered_on_any_booking_is_made(database: Database, airline: str) -> None:
    made: Counter[str] = Counter()
    turn = replace(make_turn(), backend=PostgresAirline(database), now=datetime.now(UTC))
    turn = replace(turn, key=turn.key._replace(tenant=airline))
    turn.airline.compensation_asked = True

    async for reservation in bookings_of(database, airline):
        passenger, segment = reservation.passengers[0], reservation.segments[0]
        booking = Booking(reservation, passenger, segment, reservation.seat_of(passenger, segment))
        for kind, request in await wishes_for(turn, reservation):
            offer = await PROPOSE[kind](turn, booking, request)
            if isinstance(offer, Refusal):
                assert offer.message
                continue
            assert await make(turn, database, booking, offer) == 1, (kind, request, offer)
            made[kind] += 1

    assert set(made) == set(PROPOSE)
