"""The command `fte metrics`: export the facts of a whole deployment for Prometheus."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ops.cli.options import Json

if TYPE_CHECKING:
    from schema.settings import Settings

LISTEN_DEFAULT = "127.0.0.1:9099"

Listen = Annotated[
    str | None,
    typer.Option("--listen", metavar="ADDRESS:PORT", help=f"Where [FTE_METRICS_LISTEN, else {LISTEN_DEFAULT}]."),
]


def metrics(listen: Listen = None, as_json: Json = False) -> None:
    """Serve facts of the whole deployment at /metrics, in the foreground until Ctrl-C or SIGTERM; run one of it.

    What waits and since when, streams not collected, dead letters, tickets, whether messages add up. It only reads, at
    most every 5 seconds, whoever asks. What one process does is told by the process itself (FTE_METRICS_LISTEN).
    """
    import asyncio

    from ops.cli.servers import find_servers
    from runtime.telemetry.logs import configure_logs

    settings = find_servers()
    configure_logs(settings)
    asyncio.run(_run(settings, listen or settings.metrics_listen or LISTEN_DEFAULT, as_json=as_json))


async def _run(settings: Settings, listen: str, *, as_json: bool) -> None:
    from ops.cli.stopping import signalled_event
    from ops.terminal import print_line
    from ops.watch.exporter import open_exporter
    from runtime.encoding import dump_json

    signalled = signalled_event()
    async with open_exporter(settings, listen) as port:
        if as_json:
            print_line(dump_json({"port": port}))
        await signalled.wait()
