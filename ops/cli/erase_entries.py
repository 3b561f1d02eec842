"""The command `fte privacy erase-entries`: erase a conversation from the outbound streams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ops.cli.options import Json, Tenant, Who

if TYPE_CHECKING:
    from ops.desk.erasing import Erased
    from schema.settings import Settings


def erase_entries(
    conversation: Annotated[str, typer.Argument(metavar="CONVERSATION", help="The conversation's id.")],
    *,
    who: Who = None,
    tenant: Tenant = "default",
    as_json: Json = False,
) -> None:
    """Erase a conversation's replies, escalations and events from the streams and from what they are refilled from.

    What a consumer has collected is the consumer's to erase. Exit code 1 when something is not published yet and was
    left: run it again then. Who did it is recorded as the event entries.erased.
    """
    import asyncio

    from ops.cli.options import user_name
    from ops.cli.servers import find_servers
    from ops.terminal import open_console, print_line
    from runtime.encoding import dump_json

    erased = asyncio.run(_erase(find_servers(), tenant, conversation, user_name(who)))
    if as_json:
        print_line(dump_json({"tenant": tenant, "conversation": conversation, **vars(erased)}))
    else:
        told = f"{conversation}: {erased.rows} outbox rows and {erased.entries} entries of streams erased"
        left = f"; {erased.unpublished} are not published yet and were left: run it again" if erased.unpublished else ""
        open_console().print(told + left, markup=False)
    if erased.unpublished:
        raise typer.Exit(1)


async def _erase(settings: Settings, tenant: str, conversation: str, who: str) -> Erased:
    from datetime import UTC, datetime

    from ops.cli.reading import open_database
    from ops.desk import erasing
    from ops.desk.outbound import open_redis
    from runtime.configuration import open_sealer
    from runtime.redis import Scripts
    from schema.ids import ConversationKey

    async with open_database(settings) as database, open_redis(settings) as client:
        key = ConversationKey(tenant, conversation)
        sealer, now = open_sealer(settings), datetime.now(UTC)
        return await erasing.erase_entries(database, Scripts(client), sealer, key, by=who, now=now)
