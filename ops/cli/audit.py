"""The commands `fte audit …`: who did what, whether the log is whole, and a copy of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ops.cli.options import Json, Tenant

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ops.audit.verification import ChainReport
    from runtime.database import Database

audit = typer.Typer(no_args_is_help=True, help="Who did what: the audit log of each tenant.")

Operators = Annotated[
    bool, typer.Option("--operator", help="The log of what belongs to no tenant, in place of --tenant.")
]


@audit.command("list")
def list_all(
    *,
    actor: Annotated[str | None, typer.Option("--by", metavar="NAME", help="Only this person's acts.")] = None,
    operation: Annotated[
        str | None, typer.Option("--operation", metavar="NAME", help="Only these, such as ticket.opened.")
    ] = None,
    conversation: Annotated[
        str | None, typer.Option("--conversation", metavar="ID", help="Only what was done in this conversation.")
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help="Only newer ones: 90m, 2h, 7d, or 2026-01-31T12:00Z.")
    ] = None,
    last: Annotated[int, typer.Option("--last", "-n", min=1, max=1_000, metavar="N", help="How many.")] = 50,
    tenant: Tenant = "default",
    operators: Operators = False,
    as_json: Json = False,
) -> None:
    """List acts, newest first: when, who, what, to what, and why."""
    from datetime import UTC, datetime

    from ops.audit.reading import ActFilter, list_acts
    from ops.cli.dead import since_of
    from ops.terminal import open_console, print_line
    from runtime.encoding import dump_json

    moment = since_of(since, datetime.now(UTC)) if since else None
    which = ActFilter(since=moment, actor=actor, operation=operation, conversation=conversation)
    acts = _run(lambda database: list_acts(database, _chain(tenant, operators=operators), which, last))
    if as_json:
        for act in acts:
            print_line(dump_json(act))
        return
    from ops.cli.audit_page import table_of_acts

    open_console().print(table_of_acts(acts))


@audit.command("verify")
def verify(
    *,
    every: Annotated[bool, typer.Option("--all", help="Every tenant's log, and the operators'.")] = False,
    anchor: Annotated[
        str | None, typer.Option("--anchor", metavar="NUMBER:HASH", help="An entry as an earlier run printed it.")
    ] = None,
    tenant: Tenant = "default",
    operators: Operators = False,
    as_json: Json = False,
) -> None:
    """Look for an entry that was cut out, changed, added or moved. Exit code 1: there is one.

    Prints the newest entry's number and hash: note it where whoever owns the database cannot change it, and give it to
    the next run, which then finds also a log that was rewritten as a whole.
    """
    from ops.audit.verification import read_anchor
    from ops.terminal import open_console, print_line
    from runtime.encoding import dump_json

    if every and anchor:
        raise typer.BadParameter("an anchor is of one log: give --tenant or --operator with it", param_hint="--anchor")
    anchors = (read_anchor(anchor),) if anchor else ()
    chains = None if every else [_chain(tenant, operators=operators)]
    reports = _run(lambda database: _verify(database, chains, anchors))
    for report in reports:
        told = {
            "tenant": report.tenant,
            "is_whole": report.is_whole,
            "entries": report.entries,
            "erased": report.erased,
        }
        told |= {"anchor": str(report.anchor), "broken_at": report.broken_at, "problem": report.problem}
        if as_json:
            print_line(dump_json(told))
            continue
        from ops.cli.audit_page import line_of_report

        open_console().print(line_of_report(report), markup=False, soft_wrap=True)
    if not all(report.is_whole for report in reports):
        raise typer.Exit(1)


@audit.command("export")
def export(tenant: Tenant = "default", operators: Operators = False) -> None:
    """Print a whole log as JSON, one entry a line, oldest first, with what its hashes are made of."""
    from ops.audit.reading import export_acts
    from ops.terminal import print_line
    from runtime.encoding import dump_json

    async def run(database: Database) -> None:
        async for act in export_acts(database, _chain(tenant, operators=operators)):
            print_line(dump_json(act))

    _run(run)


async def _verify(database: Database, chains: list[str] | None, anchors: Any) -> list[ChainReport]:
    from ops.audit.verification import verify_chain
    from runtime.database import EVERY_TENANT

    if chains is None:
        chains = [row["tenant_id"] for row in await database.read(EVERY_TENANT, "read_audit_heads", tenant=None)]
    return [await verify_chain(database, chain, anchors=anchors) for chain in chains]


def _chain(tenant: str, *, operators: bool) -> str:
    from ops.audit.acts import DEPLOYMENT_CHAIN

    return DEPLOYMENT_CHAIN if operators else tenant


def _run(work: Callable[[Database], Awaitable[Any]]) -> Any:
    import asyncio

    from ops.cli.reading import open_database
    from ops.cli.servers import find_servers

    async def run() -> Any:
        async with open_database(find_servers()) as database:
            return await work(database)

    return asyncio.run(run())
