"""The commands `fte escalations …`: list tickets for human agents, and open one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ops.cli.options import Json, Tenant, Who
from ops.cli.streams import LAST, ConversationFilter, Follow, FromStart, Last, show_streams

if TYPE_CHECKING:
    from ops.desk.desk import Desk
    from ops.desk.roles import Who as Person
    from schema.ids import ConversationKey
    from schema.messages.escalation import Escalation

escalations = typer.Typer(invoke_without_command=True, help="Show what was handed to human agents.")


@escalations.callback()
def show_all(
    context: typer.Context,
    *,
    follow: Follow = False,
    conversation: ConversationFilter = None,
    last: Last = LAST,
    from_start: FromStart = False,
    tenant: Tenant = "default",
    as_json: Json = False,
) -> None:
    """Show what was handed to human agents; `fte escalations show TICKET` shows one."""
    if context.invoked_subcommand is not None:
        return
    from schema.keys import escalations_stream

    streams = [escalations_stream(tenant)]
    show_streams(streams, follow=follow, last=None if from_start else last, conversation=conversation, as_json=as_json)


@escalations.command("show")
def show_one(
    ticket: Annotated[str, typer.Argument(metavar="TICKET", help="The ticket's id, such as T-7K2M9PQ4RS.")],
    *,
    opened: Annotated[
        bool, typer.Option("--open", help="Open placeholders. Needs the vault's key; who opened it is recorded.")
    ] = False,
    reason: Annotated[
        str | None, typer.Option("--reason", metavar="TEXT", help="Why they are opened; goes on record.")
    ] = None,
    who: Who = None,
    tenant: Tenant = "default",
    as_json: Json = False,
) -> None:
    """Show one ticket: reason, summary, what is known and was tried, and where the transcript stands.

    Private values stay placeholders unless the ticket is opened, which leaves the event ticket.opened.
    """
    from ops.terminal import open_console, print_line

    if opened and not reason:
        raise typer.BadParameter("say why: private values are shown with a reason alone", param_hint="--reason")
    escalation = _open(tenant, ticket, who, reason) if opened and reason else _read(tenant, ticket)
    if as_json:
        print_line(escalation.model_dump_json())
        return
    from ops.cli.ticket_page import page_of_ticket

    open_console().print(page_of_ticket(escalation))


def _open(tenant: str, ticket: str, who: str | None, reason: str) -> Escalation:
    from ops.cli.ownership import act_once
    from ops.desk.tickets import OpenedTicket, open_ticket

    async def do(desk: Desk, person: Person, _: ConversationKey) -> OpenedTicket:
        return await open_ticket(desk, person, tenant, ticket, reason=reason)

    opened: OpenedTicket = act_once(do, tenant, "", who)
    return opened.escalation


def _read(tenant: str, ticket: str) -> Escalation:
    import asyncio

    from ops.cli.reading import open_database
    from ops.cli.servers import find_servers
    from ops.desk.tickets import read_ticket
    from runtime.configuration import open_sealer

    settings = find_servers()

    async def run() -> Escalation:
        async with open_database(settings) as database:
            return await read_ticket(database, open_sealer(settings), tenant, ticket)

    return asyncio.run(run())
