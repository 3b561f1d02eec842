"""Give tests a tenant with the sample airline, filled once per module."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from ops.seed import SAMPLES, Sample, seed_airline
from runtime.database import connect
from tests.integration.conftest import add_tenant
from worker.conversation.effects import Effect
from worker.domains.airline.store.airline import PostgresAirline

if TYPE_CHECKING:
    from datetime import date

    from runtime.database import Database
    from schema.settings import Settings

TODAY = datetime.now(UTC).date()


def sample(confirmation_number: str) -> Sample:
    """Find a sample booking."""
    return next(sample for sample in SAMPLES if sample.confirmation_number == confirmation_number)


def day_of(days_ahead: int) -> date:
    """Give the date of a sample's flight."""
    return TODAY + timedelta(days=days_ahead)


def add_airline(settings: Settings) -> str:
    """Set up a tenant with the sample airline."""
    tenant = add_tenant(settings)
    assert settings.database_url is not None
    with connect(settings.database_url) as connection:
        seed_airline(connection, tenant, TODAY)
    return tenant


async def change(database: Database, tenant: str, name: str, **parameters: Any) -> int:
    """Make a change as a turn's commit does, in a transaction of its own; gives how many rows it touched.

    What every change takes is filled in: an unchanged reservation's version, a tool call of its own.
    """
    offered = {"version": 0, "conversation_id": "c-1", "tool_call_id": f"call_{uuid.uuid4().hex}", "details": {}}
    async with database.transaction(tenant) as transaction:
        return await PostgresAirline(database).apply(tenant, Effect(name, {**offered, **parameters}, name), transaction)
