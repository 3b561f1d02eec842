"""The commands `fte replies` and `fte events`: read the outbound streams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ops.cli.options import CHANNEL_NAMES, Json, Tenant
from schema.channels import CHANNELS

if TYPE_CHECKING:
    from collections.abc import Sequence

LAST = 10

Follow = Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes, until Ctrl-C.")]
ConversationFilter = Annotated[str | None, typer.Option("--conversation", metavar="ID", help="Only of this one.")]
FromStart = Annotated[bool, typer.Option("--from-start", help="Everything that is still in the stream.")]
Last = Annotated[int, typer.Option("--last", "-n", min=0, metavar="N", help="The newest N.")]


def replies(
    *,
    follow: Follow = False,
    channel: Annotated[
        list[str] | None, typer.Option("--channel", help=f"{CHANNEL_NAMES}; may be repeated. Default: all.")
    ] = None,
    conversation: ConversationFilter = None,
    last: Last = LAST,
    from_start: FromStart = False,
    tenant: Tenant = "default",
    as_json: Json = False,
) -> None:
    """Show the replies that went out to customers."""
    from schema.keys import replies_stream

    for name in channel or ():
        if name not in CHANNELS:
            raise typer.BadParameter(f"no channel {name!r}; one of {CHANNEL_NAMES}")
    streams = [replies_stream(tenant, name) for name in channel or CHANNELS]
    show_streams(streams, follow=follow, last=None if from_start else last, conversation=conversation, as_json=as_json)


def events(
    *,
    follow: Follow = False,
    conversation: ConversationFilter = None,
    last: Last = LAST,
    from_start: FromStart = False,
    tenant: Tenant = "default",
    as_json: Json = False,
) -> None:
    """Show what happened in conversations: refusals, takeovers, dead letters."""
    from schema.keys import events_stream

    streams = [events_stream(tenant)]
    show_streams(streams, follow=follow, last=None if from_start else last, conversation=conversation, as_json=as_json)


def show_streams(
    streams: Sequence[str], *, follow: bool, last: int | None, conversation: str | None, as_json: bool
) -> None:
    """Print entries of streams: the newest `last`, or all when it is None; with `follow`, also new ones."""
    import asyncio

    from ops.cli.entries import EntryPrinter
    from ops.cli.servers import find_servers
    from ops.cli.stopping import run_until_signalled
    from ops.cli.tail import tail

    settings = find_servers()
    show = EntryPrinter(as_json=as_json).print
    asyncio.run(run_until_signalled(tail(settings, streams, show, last=last, conversation=conversation, on=follow)))
