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


@dataclass(frozen=True)
class PartUsage:
    """Input tokens of one part of the requests of a tenant's turns of a day, of all calls and of a turn on average.

    `part` is one of `worker.models.request_sizes.PARTS`, or "guardrail": all of what is asked beside the agents.
    """

    part: str
    calls: int
    input_tokens: int
    tokens_per_turn: float


async def read_usage_by_part(database: Database, tenant: str, day: date) -> tuple[list[PartUsage], int]:
    """Return the parts of a day's requests, the largest first, and how many turns made them.

    Of turns that are committed and still on record; replayed calls and those of local models sent nothing.
    """
    rows = await database.read(tenant, "sum_input_parts", tenant=tenant, day=day)
    turns = int(rows[0]["turns"]) if rows else 0
    parts = [
        PartUsage(row["part"], row["calls"], int(row["input_tokens"]), round(int(row["input_tokens"]) / turns, 1))
        for row in rows
    ]
    return parts, turns
