"""The commands `fte keys …`: make, list, rotate and revoke API keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ops.cli.options import Json, Who

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from ops.tenants.keys import IssuedKey
    from runtime.database import Row

keys = typer.Typer(no_args_is_help=True, help="API keys, by which HTTP clients get in.")

Of = Annotated[str, typer.Option("--tenant", metavar="NAME", help="Whose keys.")]
Operators = Annotated[bool, typer.Option("--operator", help="Keys that administer every tenant, in place of --tenant.")]
KeyId = Annotated[str, typer.Argument(metavar="ID", help="The key's id, between its two underscores.")]


@keys.command("create")
def create(
    label: Annotated[str, typer.Argument(metavar="LABEL", help="What it is for, such as 'SMS gateway'.")],
    *,
    scope: Annotated[
        list[str] | None,
        typer.Option(
            "--scope",
            metavar="SCOPE",
            help="messages:write, outbound:read, conversations:read, desk or admin; may be repeated.",
        ),
    ] = None,
    expires: Annotated[
        str | None, typer.Option("--expires", metavar="TIME", help="In 90d, 12h; or 2026-12-31T12:00Z. Default: never.")
    ] = None,
    address: Annotated[
        list[str] | None,
        typer.Option("--address", metavar="NETWORK", help="From where alone, 192.0.2.0/24; may be repeated."),
    ] = None,
    person: Annotated[
        str | None, typer.Option("--person", metavar="NAME", help="Under whose name its actions go on record.")
    ] = None,
    tenant: Of = "default",
    operator: Operators = False,
    who: Who = None,
    as_json: Json = False,
) -> None:
    """Make an API key and print it, this once: only its hash is stored."""
    import asyncio
    from datetime import UTC, datetime

    from ops.cli.options import user_name
    from ops.cli.reading import open_database
    from ops.cli.servers import find_servers
    from ops.tenants.keys import KeyRequest, create_key

    now = datetime.now(UTC)
    scopes = tuple(scope or (["admin"] if operator else ["messages:write", "outbound:read"]))
    request = KeyRequest(label, scopes, person, _expiry(expires, now), tuple(address or ()))
    by = user_name(who)

    async def run() -> IssuedKey:
        async with open_database(find_servers()) as database:
            return await create_key(database, _owner(tenant, operator=operator), request, by=by, now=now)

    _show_made(asyncio.run(run()), as_json=as_json)


@keys.command("list")
def list_all(tenant: Of = "default", operator: Operators = False, as_json: Json = False) -> None:
    """List the API keys of a tenant, oldest first, with those that are revoked or expired."""
    import asyncio

    from ops.cli.reading import open_database
    from ops.cli.servers import find_servers
    from ops.tenants.keys import list_keys
    from ops.terminal import open_console, print_line
    from runtime.encoding import dump_json

    async def run() -> list[Row]:
        async with open_database(find_servers()) as database:
            return await list_keys(database, _owner(tenant, operator=operator))

    rows = asyncio.run(run())
    if as_json:
        for row in rows:
            print_line(dump_json(row))
        return
    from ops.cli.tenant_pages import table_of_keys

    open_console().print(table_of_keys(rows))


@keys.command("rotate")
def rotate(
    key_id: KeyId,
    *,
    overlap: Annotated[
        str, typer.Option("--overlap", metavar="SPAN", help="How long the old one is accepted too: 7d, 12h, 0s.")
    ] = "7d",
    tenant: Of = "default",
    operator: Operators = False,
    who: Who = None,
    as_json: Json = False,
) -> None:
    """Make a key like this one and print it; the old one is revoked after the overlap."""
    import asyncio
    from datetime import UTC, datetime

    from ops.cli.options import user_name
    from ops.cli.reading import open_database
    from ops.cli.servers import find_servers
    from ops.tenants.keys import rotate_key

    span, by, now = _span(overlap, "--overlap"), user_name(who), datetime.now(UTC)

    async def run() -> IssuedKey:
        async with open_database(find_servers()) as database:
            owner = _owner(tenant, operator=operator)
            return await rotate_key(database, owner, key_id, overlap=span, by=by, now=now)

    _show_made(asyncio.run(run()), as_json=as_json)


@keys.command("revoke")
def revoke(key_id: KeyId, *, tenant: Of = "default", operator: Operators = False, who: Who = None) -> None:
    """Revoke a key: within five seconds no process accepts it."""
    import asyncio
    from datetime import UTC, datetime

    from ops.cli.options import user_name
    from ops.cli.reading import open_database
    from ops.cli.servers import find_servers
    from ops.tenants.keys import revoke_key
    from ops.terminal import open_console

    by = user_name(who)

    async def run() -> datetime:
        async with open_database(find_servers()) as database:
            owner = _owner(tenant, operator=operator)
            return await revoke_key(database, owner, key_id, by=by, now=datetime.now(UTC))

    since = asyncio.run(run())
    open_console().print(f"key {key_id} is revoked since {since:%Y-%m-%d %H:%M:%S} UTC", markup=False)


def _owner(tenant: str, *, operator: bool) -> str:
    from runtime.api_keys import OPERATOR

    return OPERATOR if operator else tenant


def _span(text: str, option: str) -> timedelta:
    from datetime import timedelta

    from ops.cli.options import span_seconds

    seconds = span_seconds(text)
    if seconds is None:
        raise typer.BadParameter(f"{text!r} is no span of time such as 7d, 12h, 30m or 0s", param_hint=option)
    return timedelta(seconds=seconds)


def _expiry(text: str | None, now: datetime) -> datetime | None:
    from datetime import datetime

    from ops.cli.options import span_seconds

    if text is None:
        return None
    if span_seconds(text) is not None:
        return now + _span(text, "--expires")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise typer.BadParameter(
            f"{text!r}: give a span (90d) or a time with its zone (2026-12-31T12:00Z)", param_hint="--expires"
        )
    return moment


def _show_made(made: IssuedKey, *, as_json: bool) -> None:
    from ops.terminal import open_console, print_line
    from runtime.encoding import dump_json

    if as_json:
        print_line(dump_json({**made.row, "key": made.text}))
        return
    print_line(made.text)
    open_console(stderr=True).print(
        f"key {made.row['key_id']} of {made.row['tenant_id'] or 'operators'}: {', '.join(made.row['scopes'])}. "
        "It is shown this once; put it where secrets are kept.",
        markup=False,
    )
