"""Run one worker process in the foreground."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from ops.cli.options import Concurrency


def worker(
    concurrency: Concurrency = None,
    ready_folder: Annotated[Path | None, typer.Option("--ready-folder", hidden=True)] = None,
) -> None:
    """Run one worker process in the foreground, until Ctrl-C or SIGTERM.

    It finishes the turns under way, and gives back what takes too long. Logs go to standard error.
    """
    from ops.cli.servers import find_servers

    overrides = {} if concurrency is None else {"concurrency": concurrency}
    settings = find_servers(**overrides)
    from worker.app import run_worker  # after the settings: it takes seconds, and they may be wrong

    def say_ready() -> None:
        if ready_folder is not None:
            (ready_folder / str(os.getpid())).touch()

    raise typer.Exit(run_worker(settings, on_ready=say_ready))
