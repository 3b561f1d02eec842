"""The command `fte usage`: show what model calls used and cost."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from ops.cli.options import Json, Tenant

if TYPE_CHECKING:
    from datetime import date
    from decimal import Decimal

    from rich.table import Table

    from ops.desk.usage import ModelUsage
    from schema.settings.deployment import DeploymentSettings

Day = Annotated[
    datetime | None,
    typer.Option("--day", metavar="DATE", formats=["%Y-%m-%d"], help="Which day (UTC); without it, today."),
]


def usage(tenant: Tenant = "default", day: Day = None, as_json: Json = False) -> None:
    """Show a tenant's model calls of one day: how many, their tokens, and their cost by FTE_MODEL_PRICES.

    A call counts when it is finished, whatever became of its turn; a replayed one is not counted again.
    """
    import asyncio
    from dataclasses import asdict
    from datetime import UTC

    from ops.cli.servers import find_servers
    from ops.terminal import open_console, print_line
    from runtime.encoding import dump_json

    settings = find_servers()
    of_day = (day or datetime.now(UTC)).date()
    models, own_ceiling = asyncio.run(_read(settings, tenant, of_day))
    if as_json:
        for model in models:
            cost = None if model.cost_usd is None else float(model.cost_usd)
            print_line(dump_json({"tenant": tenant, "day": of_day, **asdict(model), "cost_usd": cost}))
        return
    console = open_console()
    if not models:
        console.print(f"{tenant} made no model calls on {of_day} (UTC)", markup=False)
        return
    console.print(_table(models))
    spent = sum(model.cost_usd or 0 for model in models)
    ceiling = own_ceiling or settings.tenant_usd_per_day_max
    share = f", {spent / ceiling:.0%} of the {ceiling} USD that a tenant may spend" if ceiling else ""
    console.print(f"{tenant} spent {spent:.4f} USD on {of_day} (UTC){share}", markup=False)


def _table(models: list[ModelUsage]) -> Table:
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


async def _read(settings: DeploymentSettings, tenant: str, day: date) -> tuple[list[ModelUsage], Decimal | None]:
    from ops.cli.reading import open_database
    from ops.desk.usage import read_usage

    async with open_database(settings) as database:
        spending = await database.read(tenant, "read_spending", tenant=tenant)
        return await read_usage(database, tenant, day), spending[0]["ceiling_usd"]
