"""Give tests a tenant with the sample airline, filled once per module."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from ops.runtime.database import connect
from ops.seed import SAMPLES, Sample, seed_airline
from tests.integration.conftest import add_tenant

if TYPE_CHECKING:
    from datetime import date

    from ops.runtime.database import Database
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


async def move(database: Database, tenant: str, **parameters: Any) -> int:
    """Run the statement of a seat change as a turn's commit does; gives how many rows it touched."""
    async with database.transaction(tenant) as transaction:
        return await transaction.count("move_to_seat", parameters)
