"""The command `fte demo`: show the product at work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.status import Status

    from ops.demo.play import DemoResult
    from ops.standalone.standalone import Crew, Say
    from schema.settings import Settings


def demo(
    workers: Annotated[int, typer.Option("--workers", "-w", min=1, max=16, metavar="N", help="Worker processes.")] = 2,
) -> None:
    """Play sample conversations through servers and workers of its own, and check what came of them.

    The servers run in a folder of their own, which is removed at the end. With FTE_DATABASE_URL and FTE_REDIS_URL set,
    those servers are used, and one worker is started. Exit code 1: something went wrong, and is shown.
    """
    from ops.cli.servers import load_command_settings
    from ops.cli.stopping import interrupted_by_signals
    from ops.terminal import open_console

    console = open_console()
    settings = load_command_settings()
    with interrupted_by_signals():
        try:
            outcome = _on_servers(console, settings) if settings.database_url else _apart(console, settings, workers)
        except KeyboardInterrupt:
            console.print("[dim]interrupted[/]")
            raise typer.Exit(1) from None
    if not outcome.is_good:
        raise typer.Exit(1)


def _apart(console: Console, settings: Settings, workers: int) -> DemoResult:
    """Play on an embedded stack in a temporary folder, which is kept only when something went wrong."""
    from ops.cli.scratch_folder import folder_apart
    from ops.standalone.standalone import run_everything

    with folder_apart(console, "demo", "the logs and the data are kept in") as folder:
        with console.status("") as status:
            settings = settings.model_copy(update={"state_dir": folder.path})
            with run_everything(settings, workers=workers, say=_shown_by(status)) as (here, crew):
                outcome = _play(console, status, here, crew)
        folder.is_kept = not outcome.is_good
    _close(console, outcome)
    return outcome


def _on_servers(console: Console, settings: Settings) -> DemoResult:
    """Play on the servers of the settings, with one additional worker."""
    from ops.standalone.standalone import run_workers

    with console.status("") as status, run_workers(settings, count=1, say=_shown_by(status)) as (here, crew):
        outcome = _play(console, status, here, crew)
    if not outcome.is_good:
        console.print(f"the worker's log is {crew.logs[0]}", soft_wrap=True)
    _close(console, outcome)
    return outcome


def _shown_by(status: Status) -> Say:
    return lambda line: status.update(f"[dim]{line} …[/]")


def _play(console: Console, status: Status, settings: Settings, crew: Crew) -> DemoResult:
    import asyncio
    import secrets
    from datetime import UTC, datetime

    from ops.demo.conversations import SCRIPTS
    from ops.demo.play import play
    from ops.demo.screen import Screen, show_checks

    count = "1 worker process" if len(crew.pids) == 1 else f"{len(crew.pids)} worker processes"
    status.stop()
    console.print(f"[bold]fte[/]  [dim]PostgreSQL, Redis and {count} are up; the model is {settings.model}[/]")
    run = f"demo-{datetime.now(UTC):%y%m%d-%H%M%S}-{secrets.token_hex(2)}"
    outcome = asyncio.run(play(settings, run=run, screen=Screen(console, SCRIPTS), logs=crew.logs))
    show_checks(console, outcome.checks)
    status.start()
    return outcome


def _close(console: Console, outcome: DemoResult) -> None:
    """Print the closing line after everything has stopped, so that it is the last."""
    console.print(f"demo: {outcome}", style="bold green" if outcome.is_good else "bold red", soft_wrap=True)
