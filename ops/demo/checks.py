"""Checks after the demo of what the replies alone do not show: the database, the streams, the logs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ops.demo.conversations import CARD_NUMBER, SEAT_CONFIRMATION_NUMBER
from runtime.database import Database
from schema.errors import FteError
from worker.domains.airline.rules.seats import choose_seats
from worker.domains.airline.store.airline import PostgresAirline

CARD_DIGITS = re.sub(r"\D", "", CARD_NUMBER)
_SEPARATORS = re.compile(r"[\s.\-]")


@dataclass(frozen=True)
class DemoCheck:
    """One condition of the demo, and whether it holds."""

    text: str
    passed: bool


@dataclass(frozen=True)
class SeatChange:
    """The sample passenger's seat, and the free window seat to ask for."""

    flight_number: str
    before: str | None
    wanted: str


class NoSample(FteError):
    """The database lacks the booking that the demo changes, or that booking can no longer be changed."""


async def plan_seat_change(database: Database, tenant: str, *, now: datetime) -> SeatChange:
    """Find the sample passenger's seat and a free window seat without a charge.

    Raises NoSample. The sample flights leave some days after the day on which a database was filled.
    """
    airline = PostgresAirline(database)
    reservation = await airline.find_reservation(tenant, SEAT_CONFIRMATION_NUMBER)
    if reservation is None or not reservation.segments:
        raise NoSample(f"tenant {tenant} has no booking {SEAT_CONFIRMATION_NUMBER}; run `fte migrate`")
    segment = reservation.segments[0]
    if segment.departs_at <= now:
        left = f"{segment.flight_number}, the flight of {SEAT_CONFIRMATION_NUMBER}, left on {segment.flight_date}"
        raise NoSample(f"{left}; fill a new tenant or database: `fte migrate`")
    taken = await airline.find_taken_seats(tenant, segment.flight_number, segment.flight_date)
    before = await seat_now(database, tenant)
    free = [seat.number for seat in choose_seats(taken, "window") if not seat.is_premium and seat.number != before]
    if not free:
        raise NoSample(f"no window seat is free on {segment.flight_number}, the flight of {SEAT_CONFIRMATION_NUMBER}")
    return SeatChange(segment.flight_number, before, free[-1])  # not the one that is offered first


async def seat_now(database: Database, tenant: str) -> str | None:
    """Return the sample passenger's seat."""
    reservation = await PostgresAirline(database).find_reservation(tenant, SEAT_CONFIRMATION_NUMBER)
    seats = reservation.seats if reservation else ()
    return next((seat.seat_number for seat in seats if seat.passenger_number == 1), None)


async def check_seat(database: Database, tenant: str, planned: SeatChange) -> DemoCheck:
    """Check that the booking has the seat that the customer was told."""
    now = await seat_now(database, tenant)
    passed = now == planned.wanted
    told = f"the booking says seat {now}" + (f", it was {planned.before}" if passed else f", not {planned.wanted}")
    return DemoCheck(f"{told} ({planned.flight_number}, read from PostgreSQL)", passed)


async def check_card(
    database: Database, tenant: str, conversation: str, *, published: Sequence[str], logs: Sequence[Path]
) -> DemoCheck:
    """Check that the card number is in no table, in no stream entry (`published`) and in no log."""
    places = [
        row["place"]
        for row in await database.read(
            tenant, "find_plain_text", tenant=tenant, conversation=conversation, digits=CARD_DIGITS
        )
    ]
    if any(CARD_DIGITS in _SEPARATORS.sub("", body) for body in published):
        places.append("a stream")
    places += [path.name for path in logs if CARD_DIGITS in _SEPARATORS.sub("", path.read_text("utf-8", "replace"))]
    if places:
        return DemoCheck(f"the card number stands in {', '.join(places)}", passed=False)
    return DemoCheck("the card number stands in no table, no stream and no log", passed=True)
