"""Rows of the sample airline, and their loading into a database."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from psycopg import sql

if TYPE_CHECKING:
    from datetime import date

    import psycopg

Row = tuple[Any, ...]
Leg = tuple[str, "date"]
"""A flight's number and its local date of departure."""


@dataclass(slots=True)
class SampleAirline:
    """Rows of every table, by table name, in an order that foreign keys allow, without the tenant's column."""

    airport: list[Row] = field(default_factory=list)
    flight: list[Row] = field(default_factory=list)
    flight_date: list[Row] = field(default_factory=list)
    fare: list[Row] = field(default_factory=list)
    customer: list[Row] = field(default_factory=list)
    payment_method: list[Row] = field(default_factory=list)
    reservation: list[Row] = field(default_factory=list)
    reservation_segment: list[Row] = field(default_factory=list)
    reservation_passenger: list[Row] = field(default_factory=list)
    seat: list[Row] = field(default_factory=list)


COLUMNS = {
    "airport": "code city time_zone",
    "flight": "flight_number origin destination departs_at arrives_at arrives_days_later",
    "flight_date": "flight_number flight_date status delay_minutes",
    "fare": "flight_number flight_date cabin seats_left price_usd",
    "customer": "customer_id given_name surname email phone born_on membership",
    "payment_method": "customer_id method_number kind last_four balance_usd",
    "reservation": (
        "reservation_id confirmation_number customer_id trip_type cabin checked_bags insured payments status created_at"
    ),
    "reservation_segment": "reservation_id segment_number flight_number flight_date price_usd",
    "reservation_passenger": "reservation_id passenger_number given_name surname born_on",
    "seat": "flight_number flight_date seat_number reservation_id passenger_number price_usd",
}


def load(cursor: psycopg.Cursor[Any], tenant: str, airline: SampleAirline) -> None:
    """Load the sample airline into a tenant's tables."""
    for table in fields(airline):
        _load(cursor, tenant, table.name, getattr(airline, table.name))


def _load(cursor: psycopg.Cursor[Any], tenant: str, table: str, rows: list[Row]) -> None:
    # PostgreSQL refuses COPY into a table with row-level security, so it goes through one without.
    names = {"table": sql.Identifier(table), "load": sql.Identifier(f"load_{table}")}
    columns = sql.SQL(", ").join(sql.Identifier(column) for column in COLUMNS[table].split())
    cursor.execute(
        sql.SQL("CREATE TEMPORARY TABLE {load} ON COMMIT DROP AS SELECT {columns} FROM {table} WITH NO DATA").format(
            **names, columns=columns
        )
    )
    with cursor.copy(sql.SQL("COPY {load} FROM STDIN").format(**names)) as copy:
        for row in rows:
            copy.write_row(row)
    cursor.execute(
        sql.SQL("INSERT INTO {table} (tenant_id, {columns}) SELECT %s, {columns} FROM {load}").format(
            **names, columns=columns
        ),
        [tenant],
    )
    cursor.execute(sql.SQL("DROP TABLE {load}").format(**names))  # a second tenant may follow in this transaction
