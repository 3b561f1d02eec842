"""The command `fte trace`: draw how a conversation's messages were processed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ops.cli.options import Json, Tenant
from ops.cli.ownership import Conversation

if TYPE_CHECKING:
    from ops.desk.trace import ConversationTrace
    from schema.settings.deployment import DeploymentSettings

TurnNumber = Annotated[
    int | None, typer.Option("--turn", min=1, metavar="N", help="This turn only, as fte show counts.")
]


def trace(
    conversation: Conversation, tenant: Tenant = "default", turn: TurnNumber = None, as_json: Json = False
) -> None:
    """Draw a conversation's trace: each turn's steps, agents, model calls and tools, and how long they took.

    Works while the conversation goes on: what workers finished up to a second ago is there.
    """
    import asyncio
    from dataclasses import asdict

    from ops.cli.servers import find_servers
    from ops.terminal import open_console, print_line
    from runtime.encoding import dump_json

    found = asyncio.run(_read(find_servers(), tenant, conversation, turn))
    if as_json:
        print_line(dump_json(asdict(found)))
        return
    from ops.cli.trace_page import page_of

    open_console().print(page_of(found))


async def _read(settings: DeploymentSettings, tenant: str, conversation: str, turn: int | None) -> ConversationTrace:
    from ops.cli.reading import open_database
    from ops.desk.takeover import UnknownConversation
    from ops.desk.trace import read_trace
    from schema.ids import ConversationKey

    key = ConversationKey(tenant, conversation)
    async with open_database(settings) as database:
        found = await read_trace(database, key, turn=turn)
    if found is None:
        raise UnknownConversation(key)
    return found
