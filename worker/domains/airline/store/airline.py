"""The airline's reservations in PostgreSQL: the reads of the tools, and the changes they stage."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from runtime.encoding import dump_json
from worker.domains.airline.records.backend import (
    DELAYED_STATUS_HOLDS,
    Airport,
    Connection,
    Customer,
    Fare,
    Flight,
    FlightGivenUp,
    Passenger,
    Payment,
    PaymentMethod,
    Reservation,
    SeatTaken,
    Segment,
)

if TYPE_CHECKING:
    from runtime.database import Database, Transaction
    from worker.conversation.effects import Effect

RESERVATIONS_MAX = 5
CONNECTIONS_MAX = 8
STOP_MINUTES_MIN = 45
STOP_MINUTES_MAX = 360


class PostgresAirline:
    """Airline backend on the tables of the migrations: reservations, flights and seats; a read is one round trip."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find_reservation(self, tenant: str, confirmation_number: str) -> Reservation | None:
        """Find a reservation by its confirmation number: six characters, upper case."""
        rows = await self._database.read(tenant, "find_reservation", confirmation_number=confirmation_number)
        return _reservation(rows[0]) if rows else None

    async def find_reservations_of(self, tenant: str, address: str) -> tuple[Reservation, ...]:
        """Find the reservations of the customer with this e-mail address or E.164 phone number."""
        rows = await self._database.read(
            tenant,
            "find_reservations_of",
            address=address,
            reservations_max=RESERVATIONS_MAX,
            delayed_hours_max=DELAYED_STATUS_HOLDS // timedelta(hours=1),
        )
        return tuple(_reservation(row) for row in rows)

    async def find_taken_seats(self, tenant: str, flight_number: str, flight_date: date) -> frozenset[str]:
        """Find the seats that somebody has on one flight."""
        rows = await self._database.read(
            tenant, "find_taken_seats", flight_number=flight_number, flight_date=flight_date
        )
        return frozenset(row["seat_number"] for row in rows)

    async def search_flights(self, tenant: str, origin: str, destination: str, day: date) -> tuple[Connection, ...]:
        """Find what flies between two airports on a day, direct and with one stop."""
        rows = await self._database.read(
            tenant,
            "search_flights",
            origin=origin,
            destination=destination,
            flight_date=day,
            stop_minutes_min=STOP_MINUTES_MIN,
            stop_minutes_max=STOP_MINUTES_MAX,
            connections_max=CONNECTIONS_MAX,
        )
        return tuple(tuple(_flight(flight) for flight in row["flights"]) for row in rows)

    async def find_flight(self, tenant: str, flight_number: str, day: date) -> Flight | None:
        """Find one flight of a day, whatever its status."""
        rows = await self._database.read(tenant, "find_flight", flight_number=flight_number, flight_date=day)
        return _flight(rows[0]) if rows else None

    async def find_airports(self, tenant: str) -> tuple[Airport, ...]:
        """Return every airport, by code."""
        return tuple(Airport(**row) for row in await self._database.read(tenant, "list_airports"))

    async def apply(self, tenant: str, effect: Effect, transaction: Transaction) -> int:  # noqa: ARG002 - the transaction is the tenant's
        """Make a staged change in the turn's own transaction: it happens when the turn commits."""
        parameters = {name: dump_json(v) if isinstance(v, dict | list) else v for name, v in effect.parameters.items()}
        return await transaction.count(effect.query, parameters)


def _reservation(row: dict[str, Any]) -> Reservation:
    customer = row["customer"]
    return Reservation(
        reservation_id=row["reservation_id"],
        version=row["version"],
        confirmation_number=row["confirmation_number"],
        status=row["status"],
        trip_type=row["trip_type"],
        cabin=row["cabin"],
        checked_bags=row["checked_bags"],
        insured=row["insured"],
        created_at=row["created_at"],
        customer=Customer(
            **{**customer, "payment_methods": tuple(PaymentMethod(**method) for method in customer["payment_methods"])}
        ),
        passengers=tuple(Passenger(**_dated(passenger, "born_on")) for passenger in row["passengers"]),
        segments=tuple(Segment(**_timed(segment)) for segment in row["segments"]),
        seats=tuple(SeatTaken(**_dated(seat, "flight_date")) for seat in row["seats"]),
        payments=tuple(
            Payment(payment["kind"], payment["amount_usd"], payment["for"], payment.get("method_number"))
            for payment in row["payments"]
        ),
        certificates_usd=row["certificates_usd"],
        changed_at=row["changed_at"],
        given_up=tuple(FlightGivenUp(**_dated(flight, "flight_date")) for flight in row["given_up"]),
    )


def _flight(row: dict[str, Any]) -> Flight:
    fields = {name: value for name, value in row.items() if name not in {"tenant_id", "fares"}}
    return Flight(**_timed(fields), fares=tuple(Fare(**fare) for fare in row["fares"]))


def _timed(fields: dict[str, Any]) -> dict[str, Any]:
    """Read the date and the two moments of a flight, where JSON has them as texts."""
    moments = {name: _moment(fields[name]) for name in ("departs_at", "arrives_at")}
    return {**_dated(fields, "flight_date"), **moments}


def _moment(value: datetime | str) -> datetime:
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def _dated(fields: dict[str, Any], name: str) -> dict[str, Any]:
    value = fields[name]
    return {**fields, name: date.fromisoformat(value) if isinstance(value, str) else value}
