"""The commands `fte deliver …`: processes that hand to receivers outside what the product has to tell them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from schema.settings import Settings

deliver = typer.Typer(no_args_is_help=True, help="Hand out what receivers outside are to be told.")


@deliver.callback()
def _deliver() -> None:
    """Keep `webhooks` a command of its own, for there will be others beside it."""


@deliver.command("webhooks")
def deliver_webhooks() -> None:
    """Run one process that delivers webhooks in the foreground, until Ctrl-C or SIGTERM; any number share the work.

    Attempts under way are ended first. Logs go to standard error.
    """
    import asyncio

    from ops.cli.servers import find_servers
    from runtime.telemetry.logs import configure_logs

    settings = find_servers()
    configure_logs(settings)
    asyncio.run(_run(settings))


async def _run(settings: Settings) -> None:
    from ops.cli.stopping import signalled_event
    from producer.delivery.deliverer import open_deliverer

    signalled = signalled_event()
    async with open_deliverer(settings):
        await signalled.wait()
