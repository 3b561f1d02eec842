"""The commands `fte privacy …`: export, erase and hold what is kept of a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ops.cli.erase_entries import erase_entries
from ops.cli.options import Json, Tenant, Who, user_name

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from runtime.database import Database
    from runtime.sealing import Sealer
    from runtime.sender_keys import SenderKeys
    from schema.settings import Settings

privacy = typer.Typer(no_args_is_help=True, help="What is kept of a person: export it, erase it, hold it.")
privacy.command("erase-entries")(erase_entries)

PersonName = Annotated[
    str, typer.Argument(metavar="PERSON", help="CHANNEL:ADDRESS, as sms:+15550100; or the key that a receipt gives.")
]
Because = Annotated[str | None, typer.Option("--because", metavar="TEXT", help="Why; goes on record.")]
OfConversation = Annotated[bool, typer.Option("--conversation", help="The name is a conversation's id, not a person.")]


@privacy.command("export")
def export_all(person: PersonName, because: Because = None, who: Who = None, tenant: Tenant = "default") -> None:
    """Print all that is kept of a person as JSON, a conversation a line, opened. Who did it goes on record."""
    from ops.privacy.exporting import export_person
    from ops.privacy.people import person_key_of
    from ops.terminal import print_line
    from runtime.encoding import dump_json

    async def work(database: Database, sealer: Sealer, senders: SenderKeys, _settings: Settings) -> None:
        key = person_key_of(senders, tenant, person)
        async for one in export_person(database, sealer, tenant, key, by=user_name(who), reason=because):
            print_line(dump_json(one))

    _run(work)


@privacy.command("erase")
def erase_all(
    person: PersonName,
    *,
    confirm: Annotated[bool, typer.Option("--confirm", help="Erase; without it only say what would be.")] = False,
    with_others: Annotated[
        bool, typer.Option("--with-others", help="Also conversations in which other people wrote.")
    ] = False,
    because: Because = None,
    who: Who = None,
    tenant: Tenant = "default",
    as_json: Json = False,
) -> None:
    """Erase all that is kept of a person, and print the receipt; without --confirm only count.

    Exit code 1: something stays, since it is on legal hold or others wrote in it.
    """
    from dataclasses import asdict

    from ops.desk.outbound import open_redis
    from ops.privacy.erasing import Eraser
    from ops.privacy.people import person_key_of
    from ops.terminal import open_console, print_line
    from runtime.encoding import dump_json

    async def work(database: Database, _sealer: Sealer, senders: SenderKeys, settings: Settings) -> Any:
        key = person_key_of(senders, tenant, person)
        async with open_redis(settings) as redis:
            eraser = Eraser(database, redis, settings, tenant, user_name(who), because)
            return await eraser.erase_person(key, dry_run=not confirm, with_others=with_others)

    receipt = _run(work)
    if as_json:
        print_line(dump_json(asdict(receipt)))
    else:
        from ops.cli.privacy_page import lines_of_erasure

        for line in lines_of_erasure(receipt):
            open_console().print(line, markup=False, soft_wrap=True)
    if receipt.held or receipt.shared:
        raise typer.Exit(1)


@privacy.command("hold")
def hold(
    person: PersonName,
    *,
    because: Annotated[str, typer.Option("--because", metavar="TEXT", help="Why; goes on record.")],
    conversation: OfConversation = False,
    who: Who = None,
    tenant: Tenant = "default",
) -> None:
    """Place a legal hold: what is held is neither erased nor removed for its age."""
    from ops.privacy.holds import place_hold
    from ops.terminal import open_console

    by = user_name(who)
    placed = _on_subject(
        person,
        tenant,
        lambda database, subject: place_hold(database, tenant, subject, by=by, reason=because),
        is_conversation=conversation,
    )
    open_console().print(f"{person} is held" if placed else f"{person} was held already", markup=False)


@privacy.command("release")
def release(
    person: PersonName,
    *,
    because: Because = None,
    conversation: OfConversation = False,
    who: Who = None,
    tenant: Tenant = "default",
) -> None:
    """Lift a legal hold. Exit code 1: there was none."""
    from ops.privacy.holds import lift_hold
    from ops.terminal import open_console

    by = user_name(who)
    lifted = _on_subject(
        person,
        tenant,
        lambda database, subject: lift_hold(database, tenant, subject, by=by, reason=because),
        is_conversation=conversation,
    )
    open_console().print(f"{person} is no longer held" if lifted else f"{person} was not held", markup=False)
    if not lifted:
        raise typer.Exit(1)


@privacy.command("holds")
def list_all(tenant: Tenant = "default", as_json: Json = False) -> None:
    """List legal holds, oldest first; people by their keys."""
    from ops.cli.privacy_page import table_of_holds
    from ops.privacy.holds import list_holds
    from ops.terminal import open_console, print_line
    from runtime.encoding import dump_json

    rows = _run(lambda database, _sealer, _senders, _settings: list_holds(database, tenant))
    if as_json:
        for row in rows:
            print_line(dump_json(row))
        return
    open_console().print(table_of_holds(rows))


def _on_subject(
    name: str, tenant: str, do: Callable[[Database, str], Awaitable[bool]], *, is_conversation: bool
) -> bool:
    from ops.privacy.holds import held_conversation, held_person
    from ops.privacy.people import person_key_of

    async def work(database: Database, _sealer: Sealer, senders: SenderKeys, _settings: Settings) -> bool:
        key = held_conversation(name) if is_conversation else held_person(person_key_of(senders, tenant, name))
        return await do(database, key)

    return bool(_run(work))


def _run(work: Callable[[Database, Sealer, SenderKeys, Settings], Awaitable[Any]]) -> Any:
    import asyncio

    from ops.cli.servers import find_servers
    from runtime.configuration import open_sealer
    from runtime.database import Database
    from runtime.startup import check_deployment

    async def run() -> Any:
        settings = find_servers()
        sealer, database = open_sealer(settings), Database(settings)
        await database.open()
        try:
            return await work(database, sealer, await check_deployment(database, sealer), settings)
        finally:
            await database.close()

    return asyncio.run(run())
