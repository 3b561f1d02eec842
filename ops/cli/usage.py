"""The command `fte usage`: show what model calls used and cost."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ops.cli.options import Json, Tenant

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from decimal import Decimal

    from rich.table import Table

    from ops.desk.usage import ModelUsage, PartUsage
    from schema.settings.deployment import DeploymentSettings

Day = Annotated[
    datetime | None,
    typer.Option("--day", metavar="DATE", formats=["%Y-%m-%d"], help="Which day (UTC); without it, today."),
]
By = Annotated[
    Literal["model", "part"],
    typer.Option("--by", help="Sum up by model, or the input tokens of a turn by what requests are made of."),
]


def usage(tenant: Tenant = "default", day: Day = None, by: By = "model", as_json: Json = False) -> None:
    """Show a tenant's model calls of one day: how many, their tokens, and their cost by FTE_MODEL_PRICES.

    A call counts when it is finished, whatever became of its turn; a replayed one is not counted again. By part, the
    calls of committed turns count, and each part's share of the provider's count is an estimate.
    """
    import asyncio
    from datetime import UTC

    from ops.cli.servers import find_servers

    settings = find_servers()
    of_day = (day or datetime.now(UTC)).date()
    if by == "part":
        parts, turns = asyncio.run(_read_parts(settings, tenant, of_day))
        _show_parts(tenant, of_day, parts, turns, as_json=as_json)
        return
    models, own_ceiling = asyncio.run(_read(settings, tenant, of_day))
    _show_models(tenant, of_day, models, own_ceiling or settings.tenant_usd_per_day_max, as_json=as_json)


def _show_models(
    tenant: str, day: date, models: Sequence[ModelUsage], ceiling: Decimal | None, *, as_json: bool
) -> None:
    from dataclasses import asdict

    from ops.terminal import open_console, print_line
    from runtime.encoding import dump_json

    if as_json:
        for model in models:
            cost = None if model.cost_usd is None else float(model.cost_usd)
            print_line(dump_json({"tenant": tenant, "day": day, **asdict(model), "cost_usd": cost}))
        return
    console = open_console()
    if not models:
        console.print(f"{tenant} made no model calls on {day} (UTC)", markup=False)
        return
    console.print(_table(models))
    spent = sum(model.cost_usd or 0 for model in models)
    share = f", {spent / ceiling:.0%} of the {ceiling} USD that a tenant may spend" if ceiling else ""
    console.print(f"{tenant} spent {spent:.4f} USD on {day} (UTC){share}", markup=False)


def _table(models: Sequence[ModelUsage]) -> Table:
    from rich.table import Table

    from ops.terminal import safe_text

    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("model")
    for name in ("calls", "degraded", "retries", "tokens in", "cached", "tokens out", "USD"):
        table.add_column(name, justify="right")
    for model in models:
        counts = [
            model.calls,
            model.degraded_calls,
            model.retries,
            model.input_tokens,
            model.cached_tokens,
            model.output_tokens,
        ]
        cost = "no price" if model.cost_usd is None else f"{model.cost_usd:.4f}"
        table.add_row(safe_text(model.model), *[f"{count:,}" for count in counts], cost)
    return table


def _show_parts(tenant: str, day: date, parts: Sequence[PartUsage], turns: int, *, as_json: bool) -> None:
    from dataclasses import asdict

    from rich.table import Table

    from ops.terminal import open_console, print_line
    from runtime.encoding import dump_json

    if as_json:
        for part in parts:
            print_line(dump_json({"tenant": tenant, "day": day, "turns": turns, **asdict(part)}))
        return
    console = open_console()
    if not parts:
        console.print(f"{tenant} asked no provider on {day} (UTC)", markup=False)
        return
    whole = sum(part.input_tokens for part in parts)
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("part")
    for name in ("calls", "tokens in", "a turn", "share"):
        table.add_column(name, justify="right")
    for part in parts:
        share = f"{part.input_tokens / max(whole, 1):.0%}"
        table.add_row(part.part, f"{part.calls:,}", f"{part.input_tokens:,}", f"{part.tokens_per_turn:,.0f}", share)
    console.print(table)
    said = f"{tenant} had {turns:,} turns on {day} (UTC), of {whole / turns:,.0f} tokens in on average"
    console.print(f"{said}; the parts are estimated", markup=False)


async def _read(settings: DeploymentSettings, tenant: str, day: date) -> tuple[list[ModelUsage], Decimal | None]:
    from ops.cli.reading import open_database
    from ops.desk.usage import read_usage

    async with open_database(settings) as database:
        spending = await database.read(tenant, "read_spending", tenant=tenant)
        return await read_usage(database, tenant, day), spending[0]["ceiling_usd"]


async def _read_parts(settings: DeploymentSettings, tenant: str, day: date) -> tuple[list[PartUsage], int]:
    from ops.cli.reading import open_database
    from ops.desk.usage import read_usage_by_part

    async with open_database(settings) as database:
        return await read_usage_by_part(database, tenant, day)
