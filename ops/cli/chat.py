"""The command `fte chat`: talk to the product from the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ops.cli.options import CHANNEL_NAMES, Tenant

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from rich.console import Console

    from ops.standalone.standalone import Crew
    from schema.settings import Settings


def chat(
    conversation: Annotated[
        str | None, typer.Option("--conversation", metavar="ID", help="Go on with this one. Default: a new one.")
    ] = None,
    channel: Annotated[str, typer.Option("--channel", help=f"{CHANNEL_NAMES}.")] = "chat",
    sender: Annotated[str, typer.Option("--as", metavar="NAME", help="Who you are on that channel.")] = "you",
    tenant: Tenant = "default",
) -> None:
    """Talk to the product. Ctrl-D ends; from a pipe, each line is a message that waits for its reply.

    Works with a running stack, or with the servers in the settings; with neither it starts a stack, and stops it at
    the end.
    """
    import secrets

    from ops.cli.servers import load_command_settings, point_at_servers
    from ops.cli.stopping import interrupted_by_signals
    from ops.cli.talk import Talk, converse
    from ops.terminal import open_console
    from schema.ids import ConversationKey

    console = open_console()
    settings = load_command_settings()
    key = ConversationKey(tenant, conversation or f"chat-{secrets.token_hex(4)}")
    with interrupted_by_signals():
        try:
            found = point_at_servers(settings)
            if found is not None:
                unanswered = converse(found, Talk(console, key, channel, sender))
            else:
                with _own_stack(console, settings) as (here, _):
                    unanswered = converse(here, Talk(console, key, channel, sender))
        except KeyboardInterrupt:
            console.print()
            return
    if unanswered:
        raise typer.Exit(1)


def _own_stack(console: Console, settings: Settings) -> AbstractContextManager[tuple[Settings, Crew]]:
    from ops.standalone.standalone import run_everything
    from ops.terminal import tell_on

    return run_everything(settings, workers=1, say=tell_on(console))
