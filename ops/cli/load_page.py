"""Lay out the outcome of a load test for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from ops.terminal import safe_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ops.lab.load.measured import MeasuredLoad
    from ops.verify.growth_figure import GrowthFigure


def counts_of(report: MeasuredLoad) -> Table:
    """Return a table of counts, with broken promises highlighted."""
    counts = two_columns(
        {
            "messages": f"{report['messages']:,}",
            "replies": f"{report['replies']:,}",
            "escalations": f"{report['escalations']:,}",
            "accepted a second": f"{report['accepted_per_s']:,.1f}",
            "messages a second": f"{report['messages_per_s']:,.1f}",
        }
    )
    broken = {
        "lost": report["lost"],
        "not answered in time": report["unanswered"],
        "answered and not read": report["unread"],
        "duplicated": report["duplicated"],
        "out of order": report["out_of_order"],
    }
    for name, count in broken.items():
        counts.add_row(name, zero(count))
    if report["repeated"]:
        counts.add_row("entries repeated, passed over", f"{report['repeated']:,}")
    counts.add_row("model calls a turn", f"{report['model_calls_per_turn']:.2f}")
    counts.add_row("tokens a turn, in", f"{report['input_tokens_per_turn']:,.0f}")
    counts.add_row("tokens a turn, out", f"{report['output_tokens_per_turn']:,.0f}")
    return counts


def two_columns(rows: Mapping[str, str]) -> Table:
    """Return a table of names and numbers."""
    table = Table.grid(padding=(0, 3))
    table.add_column(style="dim")
    table.add_column(justify="right")
    for name, value in rows.items():
        table.add_row(name, value)
    return table


def zero(count: int) -> Text:
    """Return a count that should be zero, coloured by whether it is."""
    return Text(f"{count:,}", "bold red" if count else "green")


def times_of(report: MeasuredLoad) -> Table:
    """Return a table of how long customers waited."""
    times = Table(box=None, pad_edge=False, header_style="dim")
    times.add_column("milliseconds")
    for name in ("p50", "p95", "p99", "max"):
        times.add_column(name, justify="right")
    rows = {
        "from sending to the receipt": report["acceptance_ms"],
        "from sending to the reply": report["latency_ms"],
        "of these, without the model": report["overhead_ms"],
    }
    for title, of in rows.items():
        times.add_row(title, *(f"{value:,.0f}" for value in (of["p50"], of["p95"], of["p99"], of["max"])))
    return times


def lag_of(report: MeasuredLoad) -> Table:
    """Return a table of how late the generator was, with what makes the run invalid highlighted."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("the generator's lag, ms")
    for name in ("p50", "p95", "p99", "max"):
        table.add_column(name, justify="right")
    table.add_column("allowed", justify="right")
    for title, of in (("sending", report["lag_ms"]), ("reading", report["reader_lag_ms"])):
        is_late = of["p99"] > report["lag_ms_max"]
        p99 = Text(f"{of['p99']:,.0f}", "bold red" if is_late else "green")
        table.add_row(
            title, f"{of['p50']:,.0f}", f"{of['p95']:,.0f}", p99, f"{of['max']:,.0f}", f"{report['lag_ms_max']:,.0f}"
        )
    return table


def phases_of(report: MeasuredLoad) -> Table:
    """Return a table with a line for each phase."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("phase")
    for name in ("due a second", "accepted", "answered", "refused", "receipt p99 ms", "p50 ms", "p95 ms", "p99 ms"):
        table.add_column(name, justify="right")
    for phase in report["phases"]:
        latency = phase["latency_ms"]
        table.add_row(
            safe_text(phase["name"]),
            f"{phase['offered_per_s']:,.1f}",
            *(f"{count:,}" for count in (phase["messages"], phase["answered"], phase["refused"])),
            *(f"{ms:,.0f}" for ms in (phase["acceptance_ms"]["p99"], latency["p50"], latency["p95"], latency["p99"])),
        )
    return table


def growth_of(figures: Sequence[GrowthFigure]) -> Table:
    """Return a table of growth under the load."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("growth")
    for name in ("warmed up", "at the end", "at most", "allowed"):
        table.add_column(name, justify="right")
    for figure in figures:
        allowed = "–" if figure.allowed is None else f"{figure.allowed:,.0f}"
        end = Text(f"{figure.last:,.0f}", "bold red" if figure.has_grown else "green" if figure.allowed else "")
        table.add_row(figure.name, f"{figure.first:,.0f}", end, f"{figure.most:,.0f}", allowed)
    return table
