"""The commands `fte receive …`: processes that take in what servers outside hand over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from schema.settings import Settings

receive = typer.Typer(no_args_is_help=True, help="Take in what servers outside hand over.")


@receive.callback()
def _receive() -> None:
    """Keep `email` a command of its own."""


@receive.command("email")
def receive_email(
    listen: Annotated[
        str | None,
        typer.Option(
            "--listen", metavar="ADDRESS:PORT", help="Where it listens [FTE_MAIL_DOOR_LISTEN]; or a socket's path."
        ),
    ] = None,
) -> None:
    """Take mails from the mail server in front, by LMTP or SMTP, in the foreground, until Ctrl-C or SIGTERM.

    Mails under way are ended first. Logs go to standard error.
    """
    import uvloop

    from ops.cli.servers import find_servers
    from runtime.telemetry.logs import configure_logs

    settings = find_servers(**({} if listen is None else {"mail_door_listen": listen}))
    configure_logs(settings)
    uvloop.run(_run(settings))


async def _run(settings: Settings) -> None:
    import os

    from ops.cli.stopping import signalled_event
    from producer.gateway.mail_door import open_mail_door
    from runtime.failpoints import read_failpoint

    signalled = signalled_event()
    async with open_mail_door(settings, failpoint=read_failpoint(os.environ)):
        await signalled.wait()
