"""Read what tenants have spent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.models.ledger import ReadSpending, Spending

if TYPE_CHECKING:
    from runtime.database import Database


def spending_reader(database: Database) -> ReadSpending:
    """Return the function by which a ledger reads a tenant's total of today, in one round trip."""

    async def read(tenant: str) -> Spending:
        row = (await database.read(tenant, "read_spending", tenant=tenant))[0]
        return Spending(row["day"], row["cost_usd"], row["cost_usd"], row["ceiling_usd"])

    return read
