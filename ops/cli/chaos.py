"""The command `fte chaos`: break the product on purpose, and show what became of every message."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ops.cli.options import Json

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console
    from rich.table import Table

    from ops.lab.chaos.faults import Fault
    from ops.lab.chaos.run import ChaosOptions, ChaosTotals, FaultResult
    from schema.settings import Settings

_MIXED_SECONDS = 60
"""How long everything is broken at random at the end of the whole matrix."""

_COUNTS = ("kills", "msgs", "lost", "dup", "order", "effects", "dead", "raw", "handed", "again", "moved")


def chaos(
    *,
    fault: Annotated[
        str | None, typer.Option("--fault", metavar="F1,F3", help="Only these; all when it is not given.")
    ] = None,
    kills: Annotated[
        int, typer.Option("--kills", min=1, metavar="N", help="How often a fault that kills workers does so.")
    ] = 15,
    burst: Annotated[
        int, typer.Option("--burst", min=30, metavar="N", help="How many customers write at once in F24.")
    ] = 1_000,
    workers: Annotated[int, typer.Option("--workers", "-w", min=2, max=16, metavar="N", help="Worker processes.")] = 3,
    mixed: Annotated[
        int | None,
        typer.Option(
            "--mixed", min=10, metavar="SECONDS", help="Everything at random, for so long; 60 after all others."
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", metavar="S", help="The same seed draws the same faults.")] = 1,
    as_json: Json = False,
) -> None:
    """Put load on servers and workers of its own, break them, and audit every message: one row for each fault.

    Workers ask a simulated provider. The servers run in a folder of their own, which is kept when something went wrong.
    A fault that this machine cannot show is skipped, and listed. Exit code 1: a promise was broken.
    """
    import time

    from ops.cli.servers import load_command_settings
    from ops.cli.stopping import interrupted_by_signals
    from ops.lab.chaos.faults import choose_faults
    from ops.lab.chaos.mixture import mixed_fault
    from ops.lab.chaos.run import ChaosOptions, sum_up
    from ops.terminal import open_console

    try:
        faults = choose_faults(fault) if fault or not mixed else []
    except ValueError as error:
        raise typer.BadParameter(f"--fault: {error}") from None
    if mixed or not fault:
        faults.append(mixed_fault(mixed or _MIXED_SECONDS))
    settings = load_command_settings(breaks_servers=True)
    console = open_console(stderr=as_json)
    options = ChaosOptions(workers=workers, kills=kills, burst=burst, seed=seed)
    started = time.monotonic()
    with interrupted_by_signals():
        try:
            rows = _run_apart(console, settings, options, faults)
        except KeyboardInterrupt:
            console.print("[dim]interrupted[/]")
            raise typer.Exit(1) from None
    totals = sum_up(rows, time.monotonic() - started)
    console.print(_say(totals), soft_wrap=True)
    if as_json:
        _print_json(rows, totals)
    if totals.broken:
        raise typer.Exit(1)


def _run_apart(console: Console, settings: Settings, options: ChaosOptions, faults: list[Fault]) -> list[FaultResult]:
    import asyncio

    from ops.cli.scratch_folder import folder_apart

    with folder_apart(console, "chaos", "logs, ledger and servers' data are in") as folder:
        rows = asyncio.run(_run(console, settings, folder.path, options, faults))
        folder.is_kept = any(row.broken for row in rows)
    return rows


async def _run(
    console: Console, settings: Settings, folder: Path, options: ChaosOptions, faults: list[Fault]
) -> list[FaultResult]:
    from rich.live import Live

    from ops.lab.chaos.run import chaos_on

    rows: list[FaultResult] = []
    with Live(
        _table(rows, "", console.width), console=console, auto_refresh=False, vertical_overflow="visible"
    ) as live:
        for kind in dict.fromkeys(fault.servers for fault in faults):
            (folder / kind).mkdir()
            async with chaos_on(settings, folder / kind, options, servers=kind) as running:
                for fault in (fault for fault in faults if fault.servers == kind):
                    live.update(_table(rows, f"{fault.name} {fault.title} …", console.width), refresh=True)
                    rows.append(await running.run(fault))
            live.update(_table(rows, "", console.width), refresh=True)
    for row in rows:
        if row.unshown is not None:
            console.print(f"[bold yellow]{row.fault.name}[/]  was not shown: {row.unshown}", soft_wrap=True)
        for line in row.told:
            console.print(f"[dim]{row.fault.name}  {line}[/]", soft_wrap=True)
        for line in row.broken:
            console.print(f"[bold red]{row.fault.name}[/]  {line}", soft_wrap=True)
    return rows


def _say(totals: ChaosTotals) -> str:
    """Return the totals in one line."""
    kept = f"not kept in {', '.join(totals.broken)}" if totals.broken else "every promise kept"
    shown = f"; {', '.join(totals.unshown)} not shown" if totals.unshown else ""
    counts = f"{totals.rows} rows, {totals.kills} processes killed, {totals.messages:,} messages"
    return f"{counts}, {totals.minutes:g} minutes: {kept}{shown}"


def _table(rows: list[FaultResult], caption: str, console_width: int) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(
        box=box.SIMPLE_HEAD,
        padding=0,
        header_style="dim",
        caption=caption,
        caption_justify="left",
        min_width=min(100, console_width),
    )
    table.add_column("", no_wrap=True, min_width=4)
    table.add_column("fault", ratio=1)
    for name in _COUNTS:
        table.add_column(name, justify="right", no_wrap=True, min_width=len(name))
    for row in rows:
        if row.unshown is not None:
            table.add_row(Text(row.fault.name, "bold yellow"), Text(f"{row.fault.title}: not shown", "yellow"))
            continue
        found = row.findings
        zeros = [found.lost, found.duplicated, found.out_of_order, found.effects_doubled]
        limit = row.fault.moves_again_seconds_max
        moved = Text(f"{found.moved_again_seconds:.1f}" if limit else "–")
        if limit and found.moved_again_seconds > limit * row.slowness:
            moved.stylize("bold red")
        table.add_row(
            Text(row.fault.name, "bold red" if row.broken else "green"),
            Text(row.fault.title, no_wrap=True, overflow="ellipsis"),  # what shrinks in a narrow terminal
            str(row.kills),
            str(found.messages),
            *(Text(str(count), "bold red" if count else "green") for count in zeros),
            str(found.dead),
            str(found.raw_duplicates),
            str(found.handed_again),
            str(found.asked_again),
            moved,
        )
    return table


def _print_json(rows: list[FaultResult], totals: ChaosTotals) -> None:
    from dataclasses import asdict

    from ops.terminal import print_line
    from runtime.encoding import dump_json

    for row in rows:
        fact = {
            "fault": row.fault.name,
            "title": row.fault.title,
            "kills": row.kills,
            "broken": list(row.broken),
            "told": list(row.told),
        }
        fact |= {"unshown": row.unshown, "seconds": round(row.seconds, 1)}
        fact |= {"moves_again_seconds_max": row.fault.moves_again_seconds_max, "slowness": round(row.slowness, 2)}
        print_line(dump_json(fact | asdict(row.findings)))
    print_line(dump_json({"totals": asdict(totals)}))
