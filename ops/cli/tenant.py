"""The commands `fte tenant …`: make tenants, change their settings, suspend and delete them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ops.cli.options import Json, Who

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ops.tenants.deletion import DeletionReceipt
    from ops.tenants.settings import TenantRecord
    from runtime.database import Database
    from schema.settings import Settings

tenants = typer.Typer(no_args_is_help=True, help="Tenants: airlines that this deployment answers for.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="The tenant's name.")]
Changes = Annotated[
    list[str],
    typer.Argument(metavar="SETTING=VALUE...", help="brand='Nordwind Air', limits.streams=5; 'null' is the default."),
]
Because = Annotated[str | None, typer.Option("--because", metavar="TEXT", help="Why; goes on record.")]


@tenants.command("create")
def create(
    name: Name,
    changes: Annotated[list[str] | None, typer.Argument(metavar="[SETTING=VALUE...]", help="As of `set`.")] = None,
    *,
    because: Because = None,
    who: Who = None,
    as_json: Json = False,
) -> None:
    """Make a tenant, with these settings."""
    from ops.cli.options import user_name
    from ops.tenants.settings import create_tenant, merge_patch

    given, by = merge_patch({}, _patch_of(changes or [])), user_name(who)
    record = _run(
        lambda database, settings: create_tenant(database, name, given, by=by, reason=because, deployment=settings)
    )
    _show(record, as_json=as_json)
    if not as_json:
        from ops.terminal import open_console

        told = f"It has no articles and no bookings yet: `fte kb import DIR --tenant {name}`, docs/tenants.md"
        open_console().print(told, markup=False, soft_wrap=True)


@tenants.command("list")
def list_all(as_json: Json = False) -> None:
    """List the tenants."""
    from ops.terminal import open_console, print_line
    from runtime.database import EVERY_TENANT
    from runtime.encoding import dump_json

    rows = _run(lambda database, _: database.read(EVERY_TENANT, "list_tenants"))
    if as_json:
        for row in rows:
            print_line(dump_json(row))
        return
    from ops.cli.tenant_pages import table_of_tenants

    open_console().print(table_of_tenants(rows))


@tenants.command("show")
def show(name: Name, as_json: Json = False) -> None:
    """Show a tenant's settings: what it sets itself, and what holds besides."""
    from ops.tenants.settings import read_tenant

    _show(_run(lambda database, _: read_tenant(database, name)), as_json=as_json)


@tenants.command("set")
def change(
    name: Name,
    changes: Changes,
    *,
    version: Annotated[
        int | None, typer.Option("--version", metavar="N", help="Only if the settings are still this version.")
    ] = None,
    because: Because = None,
    who: Who = None,
    as_json: Json = False,
) -> None:
    """Change settings of a tenant; every process has them within five seconds.

    A value is JSON, or text where it is none: channels='["chat","sms"]', brand=Nordwind, model=null. A model, a ceiling
    and days are held against the settings that this command reads: give it those of the workers.
    """
    from ops.cli.options import user_name
    from ops.tenants.settings import change_settings

    patch, by = _patch_of(changes), user_name(who)
    record = _run(
        lambda database, settings: change_settings(
            database, name, patch, by=by, reason=because, version=version, deployment=settings
        )
    )
    _show(record, as_json=as_json)


@tenants.command("history")
def history(name: Name, as_json: Json = False) -> None:
    """List the changes of a tenant's settings, newest first."""
    from ops.tenants.settings import list_changes
    from ops.terminal import open_console, print_line
    from runtime.encoding import dump_json

    rows = _run(lambda database, _: list_changes(database, name))
    if as_json:
        for row in rows:
            print_line(dump_json(row))
        return
    from ops.cli.tenant_pages import table_of_changes

    open_console().print(table_of_changes(rows))


@tenants.command("undo")
def undo(
    name: Name,
    *,
    version: Annotated[int | None, typer.Option("--version", metavar="N", help="Which one to go back to.")] = None,
    because: Because = None,
    who: Who = None,
    as_json: Json = False,
) -> None:
    """Take up the settings of the version before, or of --version; again goes back one further."""
    from ops.cli.options import user_name
    from ops.tenants.settings import undo_change

    by = user_name(who)
    record = _run(
        lambda database, settings: undo_change(
            database, name, by=by, reason=because, version=version, deployment=settings
        )
    )
    _show(record, as_json=as_json)


@tenants.command("suspend")
def suspend(
    name: Name,
    *,
    because: Annotated[str, typer.Option("--because", metavar="TEXT", help="Why; goes on record.")],
    who: Who = None,
) -> None:
    """Accept nothing more for a tenant; turns under way end, and what waits is answered."""
    from ops.cli.options import user_name
    from ops.tenants.settings import suspend_tenant
    from ops.terminal import open_console

    by = user_name(who)
    _run(lambda database, _: suspend_tenant(database, name, by=by, because=because))
    open_console().print(f"tenant {name} is suspended; `fte tenant resume {name}` lifts that", markup=False)


@tenants.command("resume")
def resume(name: Name, who: Who = None) -> None:
    """Put a suspended tenant back into service."""
    from ops.cli.options import user_name
    from ops.tenants.settings import resume_tenant
    from ops.terminal import open_console

    by = user_name(who)
    _run(lambda database, _: resume_tenant(database, name, by=by))
    open_console().print(f"tenant {name} is in service", markup=False)


@tenants.command("delete")
def delete(
    name: Name,
    *,
    confirm: Annotated[str, typer.Option("--confirm", metavar="NAME", help="The name again: nothing brings it back.")],
    who: Who = None,
    as_json: Json = False,
) -> None:
    """Remove everything of a suspended tenant, and print the receipt. Broken off, it goes on when it is repeated."""
    import asyncio

    from ops.cli.options import user_name
    from ops.cli.servers import find_servers

    if confirm != name:
        raise typer.BadParameter(f"it says {confirm!r}, the tenant is {name!r}", param_hint="--confirm")
    receipt = asyncio.run(_delete(find_servers(), name, user_name(who)))
    from dataclasses import asdict

    from ops.terminal import open_console, print_line
    from runtime.encoding import dump_json

    if as_json:
        print_line(dump_json(asdict(receipt)))
        return
    from ops.cli.tenant_pages import lines_of_receipt

    for line in lines_of_receipt(receipt):
        open_console().print(line, markup=False, soft_wrap=True)


async def _delete(settings: Settings, name: str, by: str) -> DeletionReceipt:
    from ops.cli.reading import open_database
    from ops.tenants.deletion import delete_tenant
    from runtime.redis import make_redis

    client = make_redis(settings)
    try:
        async with open_database(settings) as database:
            return await delete_tenant(database, client, name, by=by)
    finally:
        await client.aclose()


def _run(work: Callable[[Database, Settings], Awaitable[Any]]) -> Any:
    import asyncio

    from ops.cli.reading import open_database
    from ops.cli.servers import find_servers

    async def run() -> Any:
        settings = find_servers()
        async with open_database(settings) as database:
            return await work(database, settings)

    return asyncio.run(run())


def _patch_of(changes: list[str]) -> dict[str, Any]:
    """Read `limits.streams=5 brand=Nordwind` as a JSON merge patch; raises typer.BadParameter."""
    from runtime.encoding import parse_json

    patch: dict[str, Any] = {}
    for change in changes:
        path, separator, text = change.partition("=")
        if not separator or not all(path.split(".")):
            raise typer.BadParameter(f"{change!r} is not of the form SETTING=VALUE")
        *parts, name = path.split(".")
        place = patch
        for part in parts:
            inner = place.setdefault(part, {})
            if not isinstance(inner, dict):
                raise typer.BadParameter(f"{path} and {part} are set at the same time")
            place = inner
        try:
            place[name] = parse_json(text)
        except ValueError:
            place[name] = text
    return patch


def _show(record: TenantRecord, *, as_json: bool) -> None:
    from ops.terminal import open_console, print_line
    from runtime.encoding import dump_json

    if as_json:
        from ops.tenants.settings import describe

        print_line(dump_json(describe(record)))
        return
    from ops.cli.tenant_pages import page_of

    open_console().print(page_of(record))
