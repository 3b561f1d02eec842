"""The commands `fte status` and `fte top`: a deployment on one screen, and the conversations behind its figures."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from ops.cli.options import Json

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from rich.console import RenderableType
    from rich.live import Live

    from ops.watch.status import Watched

WATCH_SECONDS = 2.0

Watch = Annotated[bool, typer.Option("--watch", "-w", help="Read again every 2 s, until Ctrl-C.")]


def status(as_json: Json = False, watch: Watch = False) -> None:
    """Show a deployment on one screen: servers, what comes and goes, what waits and how long, workers, verification.

    Exit code 1: a server does not answer, or a part could not be read.
    """
    from ops.cli.status_page import status_page
    from ops.terminal import print_line
    from ops.watch.status import Status, read_status, record_of
    from runtime.encoding import dump_json

    async def once(watched: Watched) -> tuple[RenderableType | None, bool]:
        found: Status = await read_status(watched)
        if as_json:
            print_line(dump_json(record_of(found)))
        is_well = not found.problems and all(server.answers_ms is not None for server in found.servers)
        return None if as_json else status_page(found), is_well

    if not _show(once, watch=watch):
        raise typer.Exit(1)


def top(
    minutes: Annotated[int, typer.Option("--minutes", min=1, max=1_440, help="How far back the busiest look.")] = 10,
    count: Annotated[int, typer.Option("--count", "-n", min=1, max=200, help="How many of each.")] = 10,
    as_json: Json = False,
    watch: Watch = False,
) -> None:
    """Show the conversations that wait longest, with why, and those with most turns lately. No words of customers."""
    from dataclasses import asdict

    from ops.cli.status_page import top_page
    from ops.terminal import print_line
    from ops.watch.top import read_top
    from runtime.encoding import dump_json

    async def once(watched: Watched) -> tuple[RenderableType | None, bool]:
        found = await read_top(watched, seconds=minutes * 60, count=count)
        if as_json:
            print_line(dump_json({**asdict(found), "switches": [switch.as_record() for switch in found.switches]}))
        return None if as_json else top_page(found), True

    _show(once, watch=watch)


def _show(once: Callable[[Watched], Awaitable[tuple[RenderableType | None, bool]]], *, watch: bool) -> bool:
    """Show something once, or again and again until a signal; return whether all was well the last time."""
    from ops.cli.servers import find_servers
    from ops.terminal import open_console
    from ops.watch.status import open_watched

    settings = find_servers()

    async def show() -> bool:
        async with open_watched(settings) as watched:
            page, is_well = await once(watched)
            if page is not None:
                open_console().print(page)
            return is_well

    return asyncio.run(_watch(once)) if watch else asyncio.run(show())


async def _watch(once: Callable[[Watched], Awaitable[tuple[RenderableType | None, bool]]]) -> bool:
    from rich.live import Live

    from ops.cli.servers import find_servers
    from ops.cli.stopping import signalled_event
    from ops.terminal import open_console
    from ops.watch.status import open_watched

    signalled = signalled_event()
    settings, console, is_well = find_servers(), open_console(), True
    with Live(console=console, auto_refresh=False, screen=console.is_terminal) as live:
        while not signalled.is_set():
            async with open_watched(settings) as watched:
                is_well = await _watch_while_there(once, watched, live, signalled)
    return is_well


async def _watch_while_there(
    once: Callable[[Watched], Awaitable[tuple[RenderableType | None, bool]]],
    watched: Watched,
    live: Live,
    signalled: asyncio.Event,
) -> bool:
    """Show until a signal, or once where a server was away: it may come back, so all is connected anew then."""
    while True:
        page, is_well = await once(watched)
        if page is not None:
            live.update(page, refresh=True)
        with suppress(TimeoutError):
            async with asyncio.timeout(WATCH_SECONDS):
                await signalled.wait()
        if signalled.is_set() or watched.database is None:
            return is_well
