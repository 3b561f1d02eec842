"""The commands `fte workers …`: who is at work, and orders to pause, go on, or finish and stop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ops.cli.options import Json

if TYPE_CHECKING:
    from ops.watch.facts import WorkerSeen
    from ops.watch.orders import Order

workers = typer.Typer(no_args_is_help=True, help="Workers that are there, and orders to them.")

Names = Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Names of workers; see list.")]
All = Annotated[bool, typer.Option("--all", help="All workers that are there.")]


@workers.command("list")
def list_workers(as_json: Json = False) -> None:
    """List the workers that have announced themselves within 15 s: slots in use, state, release, metrics port."""
    import asyncio
    from dataclasses import asdict

    from ops.cli.status_page import workers_table
    from ops.terminal import open_console, print_line
    from runtime.encoding import dump_json

    found = asyncio.run(_read())
    if as_json:
        for worker in found:
            print_line(dump_json(asdict(worker)))
    elif found:
        open_console().print(workers_table(found))
    else:
        open_console().print("no worker has announced itself lately")


@workers.command("pause")
def pause_workers(names: Names = None, every: All = False) -> None:
    """Let workers take up nothing more until resume; turns under way are finished. Others do their work meanwhile."""
    _order(names, "pause", every=every)


@workers.command("resume")
def resume_workers(names: Names = None, every: All = False) -> None:
    """Let paused workers go on."""
    _order(names, "resume", every=every)


@workers.command("drain")
def drain_workers(names: Names = None, every: All = False) -> None:
    """Let workers finish their turns and end, as SIGTERM does; whatever supervises them may start new ones."""
    _order(names, "drain", every=every)


async def _read() -> list[WorkerSeen]:
    from ops.cli.servers import find_servers
    from ops.desk.outbound import open_redis
    from ops.watch.facts import read_workers

    async with open_redis(find_servers()) as client:
        return await read_workers(client)


def _order(names: list[str] | None, order: Order, *, every: bool) -> None:
    import asyncio

    from ops.terminal import open_console, safe_text

    if bool(names) == every:
        raise typer.BadParameter("give names of workers, or --all", param_hint="NAME")
    for worker in asyncio.run(_give(names or [], order)):
        open_console().print(safe_text(f"{worker.name}: {order} within 2 s"))


async def _give(names: list[str], order: Order) -> list[WorkerSeen]:
    from ops.cli.servers import find_servers
    from ops.desk.outbound import open_redis
    from ops.watch.orders import order_workers

    async with open_redis(find_servers()) as client:
        return await order_workers(client, names, order)
