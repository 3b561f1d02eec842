"""Lay out the outcome of a simulation for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from ops.cli.load_page import two_columns

if TYPE_CHECKING:
    from ops.lab.simulate.figures import SimulatedFigures
    from ops.lab.simulate.measured_run import MeasuredRun

_AIM = 0.2
"""How far a simulated figure may be from the measured one: what the documentation aims at."""

_PERCENTILES = ("p50", "p95", "p99")


def busy_of(figures: SimulatedFigures) -> Table:
    """Return a table of what was simulated, and how busy everything was."""
    return two_columns(
        {
            "messages": f"{figures['messages']:,}",
            "a second": f"{figures['offered_per_s']:,.1f}",
            "turns": f"{figures['turns']:,}",
            "runs of turns thrown away": f"{figures['overtaken']:,}",
            "slots taken, on average": f"{figures['slots_mean']:,.1f} of {figures['slots']:,}",
            "slots taken at most": f"{figures['slots_most']:,}",
            "processors busy": f"{figures['cores_busy']:.0%}",
            "the busiest worker": f"{figures['worker_busy']:.0%}",
        }
    )


def waits_of(figures: SimulatedFigures) -> Table:
    """Return a table of waiting times, also of groups where there are several."""
    table = _times("milliseconds")
    rows = {
        "waiting for a slot": figures["wait_ms"],
        "until the reply": figures["latency_ms"],
        "of these, without the model": figures["overhead_ms"],
    }
    for group in figures["groups"]:
        rows[f"{group['group']}: waiting for a slot"] = group["wait_ms"]
        rows[f"{group['group']}: until the reply"] = group["latency_ms"]
    for title, of in rows.items():
        table.add_row(title, *(f"{value:,.0f}" for value in (of["p50"], of["p95"], of["p99"], of["max"])))
    return table


def compared_of(measured: MeasuredRun, figures: SimulatedFigures) -> Table:
    """Return a table of simulated figures beside those measured."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("milliseconds")
    for name in ("measured", "simulated", "off by"):
        table.add_column(name, justify="right")
    for title, (real, simulated, off) in off_by(measured, figures).items():
        colour = "" if abs(off) <= _AIM else "bold red"
        table.add_row(title, f"{real:,.0f}", f"{simulated:,.0f}", Text(f"{off:+.0%}", colour))
    return table


def off_by(measured: MeasuredRun, figures: SimulatedFigures) -> dict[str, tuple[float, float, float]]:
    """Return measured and simulated milliseconds, and by what part of the measured ones the simulation is off."""
    pairs = {}
    for title, real, simulated in (
        ("until the reply", measured.last_phase.latency_ms, figures["latency_ms"]),
        ("without the model", measured.last_phase.overhead_ms, figures["overhead_ms"]),
    ):
        for name in _PERCENTILES:
            wanted, found = float(getattr(real, name)), float(str(dict(simulated)[name]))
            pairs[f"{title} {name}"] = (wanted, found, round((found - wanted) / max(wanted, 0.1), 3))
    return pairs


def _times(first: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column(first)
    for name in (*_PERCENTILES, "max"):
        table.add_column(name, justify="right")
    return table
