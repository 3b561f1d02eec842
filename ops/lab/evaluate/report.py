"""Print what was measured: one table of every figure, the confusion matrices, and on wish what was missed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from ops.lab.evaluate.figures import Figure, Miss
from ops.lab.evaluate.triage import COLUMNS, LABELS
from ops.terminal import safe_text

MISSES_SHOWN_MAX = 60


def print_figures(console: Console, figures: dict[str, Sequence[Figure]]) -> None:
    """Print every figure, one column per set; `figures` maps the sets' names to what was measured on them."""
    table = Table(title="What the product gets right", title_justify="left")
    table.add_column("figure", no_wrap=True)
    table.add_column("target", justify="right", no_wrap=True)
    for name in figures:
        table.add_column(safe_text(name), justify="right", no_wrap=True)
    by_set = {name: {(one.group, one.name): one for one in measured} for name, measured in figures.items()}
    rows = list(dict.fromkeys(key for found in by_set.values() for key in found))
    groups = list(dict.fromkeys(group for group, _ in rows))
    for group in groups:
        table.add_row(f"[bold]{group}[/]")
        for key in (key for key in rows if key[0] == group):
            cells = [found.get(key) for found in by_set.values()]
            known = next(cell for cell in cells if cell is not None)
            target = f"{known.target.sense} {known.show(known.target.bound)}" if known.target else ""
            table.add_row(f"  {key[1]}", target, *map(_cell, cells))
        table.add_section()
    console.print(table)


def _cell(figure: Figure | None) -> str:
    if figure is None:
        return "[dim]–[/]"
    value = f"{figure.show(figure.value)} [dim]({figure.out_of})[/]"
    if figure.target is None:
        return f"{value}  "
    return f"{value} [bold red]✗[/]" if figure.is_missed else f"{value} [green]✓[/]"


def print_confusion(console: Console, name: str, confusion: Counter[tuple[str, str]]) -> None:
    """Print one set's confusion matrix: labels down, routes across."""
    table = Table(title=f"Triage, {name}: label by where the product sent it", title_justify="left")
    table.add_column("label")
    for route in COLUMNS:
        table.add_column(route.replace("_", " "), justify="right")
    for label in LABELS:
        counts = [confusion[label, route] for route in COLUMNS]
        cells = [
            f"[bold]{count}[/]" if route == label else str(count) if count else "[dim]·[/]"
            for route, count in zip(COLUMNS, counts, strict=True)
        ]
        table.add_row(label.replace("_", " "), *cells)
    console.print(table)


def print_misses(console: Console, name: str, misses: Sequence[Miss]) -> None:
    """Print what was judged otherwise than it is labelled; texts are the set's own."""
    for miss in misses[:MISSES_SHOWN_MAX]:
        console.print(f"[dim]{name}[/] {miss.group} [bold]{miss.row}[/]:", safe_text(miss.said), style="yellow")
        console.print(safe_text(miss.text.strip()))
    if len(misses) > MISSES_SHOWN_MAX:
        console.print(f"[dim]… and {len(misses) - MISSES_SHOWN_MAX} more of {name}[/]")


def as_object(figures: dict[str, Sequence[Figure]]) -> list[dict[str, object]]:
    """Return every figure as a plain object, for a program to read."""
    return [
        {"set": name, **asdict(figure), "missed": figure.is_missed}
        for name, measured in figures.items()
        for figure in measured
    ]
