"""The commands `fte takeover`, `fte hand-back` and `fte resolve`: who answers a conversation, and when it is over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ops.cli.options import Json, Tenant, Who

if TYPE_CHECKING:
    from ops.desk.takeover import Owner
    from schema.settings.deployment import DeploymentSettings

Conversation = Annotated[str, typer.Argument(metavar="CONVERSATION", help="The conversation's id.")]


def takeover(conversation: Conversation, tenant: Tenant = "default", as_json: Json = False) -> None:
    """Take a conversation over: the bot is silent from now on, also in a turn under way.

    The customer's messages are still accepted and recorded; each appears as a message.forwarded event.
    """
    _change_owner(conversation, tenant, "human", as_json=as_json)


def hand_back(conversation: Conversation, tenant: Tenant = "default", as_json: Json = False) -> None:
    """Hand a conversation back to the bot: it answers from the next message on."""
    _change_owner(conversation, tenant, "bot", as_json=as_json)


def resolve(conversation: Conversation, who: Who = None, tenant: Tenant = "default", as_json: Json = False) -> None:
    """Call a conversation resolved, as far as it is answered: the customer's next message begins another episode."""
    import asyncio

    from ops.cli.options import user_name
    from ops.cli.servers import find_servers
    from ops.terminal import open_console, print_line
    from runtime.encoding import dump_json

    resolved = asyncio.run(_resolve(find_servers(), tenant, conversation, user_name(who)))
    if as_json:
        print_line(dump_json({"tenant": tenant, "conversation": conversation, "resolved": resolved}))
        return
    told = "is resolved" if resolved else "has nothing new to resolve"
    open_console().print(f"{conversation} {told}", markup=False)


async def _resolve(settings: DeploymentSettings, tenant: str, conversation: str, who: str) -> bool:
    from datetime import UTC, datetime

    from ops.cli.reading import open_database
    from ops.desk.resolving import resolve as resolve_in
    from schema.ids import ConversationKey

    async with open_database(settings) as database:
        return await resolve_in(database, ConversationKey(tenant, conversation), by=who, now=datetime.now(UTC))


def _change_owner(conversation: str, tenant: str, owner: Owner, *, as_json: bool) -> None:
    import asyncio

    from ops.cli.servers import find_servers
    from ops.terminal import open_console, print_line
    from runtime.encoding import dump_json

    changed = asyncio.run(_set_owner(find_servers(), tenant, conversation, owner))
    if as_json:
        print_line(dump_json({"tenant": tenant, "conversation": conversation, "owner": owner, "changed": changed}))
        return
    whose = "a human's" if owner == "human" else "the bot's"
    told = f"is {whose} now" if changed else f"was {whose} already"
    open_console().print(f"{conversation} {told}", markup=False)


async def _set_owner(settings: DeploymentSettings, tenant: str, conversation: str, owner: Owner) -> bool:
    from datetime import UTC, datetime

    from ops.cli.reading import open_database
    from ops.desk.takeover import set_owner
    from runtime.configuration import open_sealer
    from schema.ids import ConversationKey

    async with open_database(settings) as database:
        key = ConversationKey(tenant, conversation)
        return await set_owner(database, open_sealer(settings), key, owner, now=datetime.now(UTC))
