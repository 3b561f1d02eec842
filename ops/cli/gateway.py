"""The command `fte gateway`: run one HTTP gateway process in the foreground."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer


def gateway(
    listen: Annotated[
        str | None,
        typer.Option("--listen", metavar="ADDRESS:PORT", help="Where it listens [FTE_GATEWAY_LISTEN]; port 0: any."),
    ] = None,
    share_port: Annotated[
        bool, typer.Option("--share-port", help="Let several gateway processes of one user listen on the port (Linux).")
    ] = False,
    operators: Annotated[
        bool,
        typer.Option(
            "--operators", help="Also serve operators' keys, below /v1/admin; needs FTE_DATABASE_URL besides."
        ),
    ] = False,
    ready_folder: Annotated[Path | None, typer.Option("--ready-folder", hidden=True)] = None,
) -> None:
    """Serve HTTP in the foreground, until Ctrl-C or SIGTERM: messages in, replies out, with one API key.

    It finishes the requests under way, and ends streams. Logs go to standard error.
    """
    from ops.cli.servers import find_servers
    from ops.console.desk import desk_router
    from ops.console.tenants import tenants_router
    from producer.gateway.process import run_gateway
    from runtime.telemetry.logs import configure_logs

    settings = find_servers(**({} if listen is None else {"gateway_listen": listen}))
    configure_logs(settings)

    def note(listens_on: int) -> None:
        if ready_folder is not None:
            (ready_folder / str(os.getpid())).write_text(str(listens_on), encoding="utf-8")

    routers = [tenants_router(settings if operators else None), desk_router(settings)]
    raise typer.Exit(run_gateway(settings, routers=routers, shares_port=share_port, on_ready=note))
