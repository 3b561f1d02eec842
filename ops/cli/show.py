"""The command `fte show`: show a conversation to an operator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ops.cli.options import Json, Tenant
from ops.cli.ownership import Conversation

if TYPE_CHECKING:
    from ops.desk.transcript import Transcript
    from schema.settings.deployment import DeploymentSettings


def show(conversation: Conversation, tenant: Tenant = "default", as_json: Json = False) -> None:
    """Show a conversation: what was said, which tools ran, what is known, tickets, and where the time went.

    Secrets stand as placeholders, as they are stored; the vault is not opened.
    """
    import asyncio
    from dataclasses import asdict

    from ops.cli.servers import find_servers
    from ops.terminal import open_console, print_line
    from runtime.encoding import dump_json

    transcript = asyncio.run(_read(find_servers(), tenant, conversation))
    if as_json:
        print_line(dump_json(asdict(transcript)))
        return
    from ops.cli.transcript_page import page_of

    open_console().print(page_of(transcript))


async def _read(settings: DeploymentSettings, tenant: str, conversation: str) -> Transcript:
    from ops.cli.reading import open_database
    from ops.desk.takeover import UnknownConversation
    from ops.desk.transcript import read_transcript
    from runtime.configuration import open_sealer
    from schema.ids import ConversationKey

    key = ConversationKey(tenant, conversation)
    async with open_database(settings) as database:
        transcript = await read_transcript(database, key, open_sealer(settings))
    if transcript is None:
        raise UnknownConversation(key)
    return transcript
