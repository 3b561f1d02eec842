"""The commands `fte escalations …`: list tickets for human agents, and open one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ops.cli.options import Json, Tenant, Who, user_name
from ops.cli.streams import LAST, ConversationFilter, Follow, FromStart, Last, show_streams

if TYPE_CHECKING:
    from schema.messages.escalation import Escalation
    from schema.settings.deployment import DeploymentSettings

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
    who: Who = None,
    tenant: Tenant = "default",
    as_json: Json = False,
) -> None:
    """Show one ticket: reason, summary, what is known and was tried, and where the transcript stands.

    Private values stay placeholders unless the ticket is opened, which leaves the event ticket.opened.
    """
    import asyncio

    from ops.cli.servers import find_servers
    from ops.terminal import open_console, print_line

    escalation = asyncio.run(_read(find_servers(), tenant, ticket, user_name(who) if opened else None))
    if as_json:
        print_line(escalation.model_dump_json())
        return
    from ops.cli.ticket_page import page_of_ticket

    open_console().print(page_of_ticket(escalation))


async def _read(settings: DeploymentSettings, tenant: str, ticket: str, reader: str | None) -> Escalation:
    from datetime import UTC, datetime

    from ops.cli.reading import open_database
    from ops.desk.tickets import open_ticket, read_ticket
    from runtime.configuration import open_sealer

    sealer = open_sealer(settings)
    async with open_database(settings) as database:
        if reader is None:
            return await read_ticket(database, sealer, tenant, ticket)
        opened = await open_ticket(database, sealer, tenant, ticket, reader=reader, now=datetime.now(UTC))
        return opened.escalation
