"""The command `fte verify`: check a live system against its promises."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ops.cli.options import Json

if TYPE_CHECKING:
    from rich.table import Table

    from ops.verify import Report
    from schema.settings import Settings

OneTenant = Annotated[str | None, typer.Option("--tenant", metavar="NAME", help="Only this one; default: all.")]


def verify(tenant: OneTenant = None, as_json: Json = False) -> None:
    """Check that what was accepted is accounted for, numbered without gaps, on its way, and paid for once.

    Beside running workers; what is merely under way is looked at again and not reported. Changes nothing, but notes in
    Redis when all tenants were looked at. Exit code 1: a promise is broken, with the place, numbers and way out.
    """
    import asyncio
    from dataclasses import asdict

    from ops.cli.servers import find_servers
    from ops.terminal import open_console, print_line, safe_text
    from runtime.encoding import dump_json

    report = asyncio.run(_verify(find_servers(), tenant))
    if as_json:
        print_line(dump_json(asdict(report)))
    else:
        console = open_console()
        console.print(_table(report))
        for finding in report.findings:
            console.print()
            console.print(safe_text(f"{finding.check}: {finding.tenant} {finding.conversation}", "bold red"))
            console.print(safe_text(f"  {finding.what}"), soft_wrap=True)
            console.print(safe_text(f"  way out: {finding.way_out}", "dim"), soft_wrap=True)
        count = len(report.findings)
        console.print(f"\n{count} violations" if count else "\nno violation")
    if report.findings:
        raise typer.Exit(1)


def _table(report: Report) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("tenant")
    for name in ("accepted", "waiting", "held", "answered", "dead", "erased", "missing"):
        table.add_column(name, justify="right")
    for count in report.tenants:
        numbers = (
            count.accepted,
            count.waiting,
            count.in_work,
            count.answered,
            count.dead,
            count.erased,
            count.missing,
        )
        table.add_row(count.tenant, *[f"{number:,}" for number in numbers])
    return table


async def _verify(settings: Settings, tenant: str | None) -> Report:
    from ops.cli.reading import open_database
    from ops.verify import Verification
    from ops.verify.noting import note_verified
    from runtime.redis import check_redis, make_redis

    client = make_redis(settings)
    try:
        await check_redis(client, settings)
        async with open_database(settings) as database:
            report = await Verification(settings, database, client, tenant).run()
        if tenant is None:
            await note_verified(client, report)
        return report
    finally:
        await client.aclose()
