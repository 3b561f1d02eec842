"""Read the airline's reservations from PostgreSQL."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from worker.tools.backend import Passenger, Reservation, SeatTaken, Segment

if TYPE_CHECKING:
    from ops.runtime.database import Database


class PostgresAirline:
    """Look reservations and seats up in the tables of the migration `0002_airline`; one round trip each."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find_reservation(self, tenant: str, confirmation_number: str) -> Reservation | None:
        """Find a reservation by its confirmation number: six characters, upper case."""
        rows = await self._database.read(tenant, "find_reservation", confirmation_number=confirmation_number)
        return _reservation(rows[0]) if rows else None

    async def find_taken_seats(self, tenant: str, flight_number: str, flight_date: date) -> frozenset[str]:
        """Find the seats that somebody has on one flight."""
        rows = await self._database.read(
            tenant, "find_taken_seats", flight_number=flight_number, flight_date=flight_date
        )
        return frozenset(row["seat_number"] for row in rows)


def _reservation(row: dict[str, Any]) -> Reservation:
    return Reservation(
        reservation_id=row["reservation_id"],
        confirmation_number=row["confirmation_number"],
        status=row["status"],
        cabin=row["cabin"],
        passengers=tuple(Passenger(**passenger) for passenger in row["passengers"]),
        segments=tuple(
            Segment(
                **{
                    **segment,
                    "flight_date": date.fromisoformat(segment["flight_date"]),
                    "departs_at": datetime.fromisoformat(segment["departs_at"]),
                }
            )
            for segment in row["segments"]
        ),
        seats=tuple(
            SeatTaken(**{**seat, "flight_date": date.fromisoformat(seat["flight_date"])}) for seat in row["seats"]
        ),
    )
