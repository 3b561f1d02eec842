"""Run a load under random faults and show the outcome: `fte load --duration TIME --faults`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ops.cli.load_page import growth_of, two_columns, zero

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from ops.lab.chaos.run import ChaosOptions
    from ops.lab.chaos.soak import Soaked
    from schema.settings import Settings


def soak_apart(console: Console, settings: Settings, options: ChaosOptions, seconds: int) -> Soaked:
    """Run a soak test in a temporary folder, which is kept when something went wrong, and show the outcome."""
    import asyncio

    from ops.cli.scratch_folder import folder_apart
    from ops.lab.chaos.soak import soak

    with folder_apart(console, "soak", "logs, ledger and servers' data are in") as folder:
        with console.status(f"[dim]breaking things for {seconds} s, seed {options.seed} …"):
            soaked = asyncio.run(soak(settings, folder.path, options, seconds))
        folder.is_kept = not soaked.is_good
    _show(console, soaked)
    return soaked


def facts_of(soaked: Soaked) -> dict[str, Any]:
    """Return the outcome of a soak test as JSON values."""
    from dataclasses import asdict

    return {
        **asdict(soaked.row.findings),
        "kills": soaked.row.kills,
        "seconds": round(soaked.row.seconds, 1),
        "broken": list(soaked.row.broken),
        "violations": [asdict(violation) for violation in soaked.violations],
        "growth": [asdict(figure) for figure in soaked.figures],
    }


def _show(console: Console, soaked: Soaked) -> None:
    for part in (_counts(soaked), growth_of(soaked.figures)):
        console.print()
        console.print(part)
    for line in soaked.broken:
        console.print(f"[bold red]broken[/]  {line}", soft_wrap=True)


def _counts(soaked: Soaked) -> Table:
    found = soaked.row.findings
    counts = two_columns(
        {
            "messages": f"{found.messages:,}",
            "changes of bookings": f"{found.changes:,}",
            "processes killed": f"{soaked.row.kills:,}",
            "longest wait for a turn": f"{found.slowest_seconds:.1f} s",
        }
    )
    for name, count in {
        "lost": found.lost,
        "duplicated": found.duplicated,
        "out of order": found.out_of_order,
        "effects doubled": found.effects_doubled,
        "violations that fte verify finds": len(soaked.violations),
    }.items():
        counts.add_row(name, zero(count))
    counts.add_row("dead letters", f"{found.dead:,}")
    counts.add_row("entries repeated, passed over", f"{found.raw_duplicates:,}")
    counts.add_row("model calls asked again", f"{found.asked_again:,}")
    return counts
