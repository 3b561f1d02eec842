"""The command `fte up`: run the whole product on this machine until told to stop."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ops.cli.options import Concurrency, Json

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

    from rich.console import Console

    from ops.lab.sandbox_parts import SandboxHint
    from ops.standalone.standalone import Crew, Say
    from schema.settings import Settings
    from schema.settings.deployment import DeploymentSettings


def up(
    workers: Annotated[int, typer.Option("--workers", "-w", min=1, max=64, metavar="N", help="Worker processes.")] = 1,
    concurrency: Concurrency = None,
    *,
    sandbox: Annotated[
        bool,
        typer.Option("--sandbox", help="Also stand in for providers of channels, to try them without an account."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Start PostgreSQL, Redis, workers and an HTTP gateway on this machine, and run them until Ctrl-C.

    As soon as a tenant has a webhook target, or an account of a channel, a process that delivers runs as well.
    What is accepted and answered is kept in the state folder. With FTE_DATABASE_URL and FTE_REDIS_URL set, only the
    workers are started, and with FTE_HTTP_DATABASE_URL the gateway. It takes the port of FTE_GATEWAY_LISTEN, or a free
    one where that is taken.
    """
    from ops.cli.servers import load_command_settings
    from ops.cli.stopping import interrupted_by_signals
    from ops.standalone.deliverer import run_deliverers_when_needed
    from ops.terminal import open_console, print_line, tell_on

    overrides: dict[str, Any] = {} if concurrency is None else {"concurrency": concurrency}
    settings = load_command_settings(**overrides)
    console = open_console(stderr=as_json)
    with interrupted_by_signals():
        try:
            say = tell_on(console)
            with (
                _everything(settings, workers, say) as (here, crew),
                run_deliverers_when_needed(here),
                _gateway(here, say) as url,
                _sandbox(here, url, console, wanted=sandbox) as hints,
            ):
                if as_json:
                    print_line(_as_json(here, crew, url, hints))
                else:
                    _welcome(here, workers, url)
                    _show_sandbox(hints)
                while True:
                    signal.pause()
        except KeyboardInterrupt:
            console.print("[dim]stopped[/]")


def _everything(settings: Settings, workers: int, say: Say) -> AbstractContextManager[tuple[Settings, Crew]]:
    from ops.standalone.standalone import run_everything, run_workers

    if settings.database_url is not None:
        return run_workers(settings, count=workers, say=say)
    return run_everything(settings, workers=workers, say=say)


@contextmanager
def _gateway(settings: Settings, say: Say) -> Iterator[str | None]:
    """Run a gateway where its process has a login that is fenced in; yield its URL."""
    from ops.standalone.gateways import run_gateway_beside

    if settings.http_database_url is None:
        yield None
        return
    say("starting the HTTP gateway")
    with run_gateway_beside(settings) as url:
        yield url


@contextmanager
def _sandbox(
    settings: Settings, gateway_url: str | None, console: Console, *, wanted: bool
) -> Iterator[list[SandboxHint]]:
    """Run stand-ins for providers where they are wanted, and print what they take; yield how each channel is tried."""
    from ops.lab.sandbox import run_sandbox
    from ops.terminal import safe_text
    from schema.errors import InvalidSettings

    if not wanted:
        yield []
        return
    if gateway_url is None:
        raise InvalidSettings(["--sandbox needs the gateway, and that FTE_HTTP_DATABASE_URL"])

    def show(line: str) -> None:
        console.print(safe_text(line), soft_wrap=True)

    with run_sandbox(settings, gateway_url, show) as hints:
        yield hints


def _as_json(settings: DeploymentSettings, crew: Crew, gateway_url: str | None, hints: Sequence[SandboxHint]) -> str:
    from runtime.encoding import dump_json

    return dump_json(
        {
            "database_url": settings.database_url,
            "http_database_url": settings.http_database_url,
            "redis_url": settings.redis_url,
            "gateway_url": gateway_url,
            "state_dir": str(settings.state_dir),
            "workers": crew.pids,
            "sandbox": [hint.command for hint in hints],
        }
    )


def _welcome(settings: Settings, workers: int, gateway_url: str | None) -> None:
    import asyncio
    import shlex

    from rich.markup import escape

    from ops.terminal import open_console

    console = open_console()
    count = "1 worker" if workers == 1 else f"{workers} workers"
    console.print(
        f"\n[bold green]fte is up[/]  {count}, {settings.concurrency} conversations each, {settings.model} model\n"
    )
    if not settings.is_embedded_model:
        from worker.models.startup import find_problem

        if problem := asyncio.run(find_problem(settings)):
            console.print(
                f"  [bold red]The model does not answer, local stands in:[/] {escape(problem)}\n", soft_wrap=True
            )
    for name, value in {
        "FTE_DATABASE_URL": settings.database_url,
        "FTE_HTTP_DATABASE_URL": settings.http_database_url,
        "FTE_REDIS_URL": settings.redis_url,
        "FTE_STATE_DIR": str(settings.state_dir),
    }.items():
        if value:
            console.print(f"  export {name}={shlex.quote(value)}", markup=False, soft_wrap=True)
    if gateway_url is not None:
        console.print(
            f"\n  HTTP gateway: {gateway_url}/v1/docs   [dim]make a key:[/]"
            ' fte keys create "my gateway" --scope messages:write --scope outbound:read',
            soft_wrap=True,
        )
    console.print("\n  [dim]From another terminal (the same user's needs no export):[/]")
    for command, does in {
        "fte chat": "talk to it",
        "fte send FILE": "hand in messages, one JSON object a line",
        "fte replies --follow": "watch the answers",
        "fte show CONVERSATION": "read a conversation, its tools and its timings",
    }.items():
        console.print(f"  [cyan]{command:<22}[/] [dim]{does}[/]")
    console.print(f"\n  [dim]State and logs:[/] {settings.state_dir}   [dim]Ctrl-C stops it.[/]\n", soft_wrap=True)


def _show_sandbox(hints: Sequence[SandboxHint]) -> None:
    from ops.terminal import open_console

    console = open_console()
    for hint in hints:
        console.print(f"  [bold]Sandbox:[/] {hint.text}", soft_wrap=True)
        console.print(f"  {hint.command}\n", markup=False, soft_wrap=True)
