"""The command `fte worker`: run one worker process in the foreground."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ops.cli.options import Concurrency

if TYPE_CHECKING:
    from schema.settings import Settings

NICENESS_BESIDE_SERVERS = 10
"""Of a worker that shares its machine with PostgreSQL, Redis and the gateway: a receipt is due in milliseconds, an
answer in seconds, so what accepts messages and keeps them goes first when the processors are busy."""


def worker(
    concurrency: Concurrency = None,
    crew: Annotated[
        Path | None, typer.Option("--crew", hidden=True, help="The folder of ops.standalone.standalone.Crew.")
    ] = None,
) -> None:
    """Run one worker process in the foreground, until Ctrl-C or SIGTERM.

    It finishes the turns under way, and gives back what takes too long. Logs go to standard error.
    """
    from ops.cli.servers import find_servers

    overrides = {} if concurrency is None else {"concurrency": concurrency}
    if crew is None:
        settings = find_servers(**overrides)
        from worker.app import run_worker  # after the settings: it takes seconds, and they may be wrong

        raise typer.Exit(run_worker(settings))

    from worker.app import run_worker  # before the addresses: loads while the servers are prepared

    os.nice(NICENESS_BESIDE_SERVERS)
    place = crew / str(os.getpid())
    raise typer.Exit(run_worker(_settings_of_crew(crew, overrides), on_ready=place.touch))


def _settings_of_crew(crew: Path, overrides: dict[str, int]) -> Settings:
    from ops.standalone.standalone import wait_for_addresses
    from runtime.configuration import load_settings

    addresses = wait_for_addresses(crew)
    return load_settings(database_url=addresses.database_url, redis_url=addresses.redis_url, **overrides)
