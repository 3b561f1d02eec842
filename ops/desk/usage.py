"""Sum up what model calls used and cost."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from runtime.database import Database


@dataclass(frozen=True)
class ModelUsage:
    """One model's calls of a tenant and day; `cached_tokens` are part of `input_tokens`.

    `degraded_calls`: the model stood in for the provider. `cost_usd` is None for a model without a price.
    """

    model: str
    calls: int
    degraded_calls: int
    retries: int
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    cost_usd: Decimal | None


async def read_usage(database: Database, tenant: str, day: date) -> list[ModelUsage]:
    """Return a tenant's usage of one day (UTC), the dearest model first."""
    rows = await database.read(tenant, "sum_usage", tenant=tenant, day=day)
    return [ModelUsage(**row) for row in rows]
