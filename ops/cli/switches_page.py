"""Lay out what is switched off for the terminal: a table, and the banner that other pages begin with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ops.desk.switches import whose
from ops.terminal import minute_of, safe_text
from schema.switches import ALL_TURNS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runtime.switches import Switch


def name_of(switch: Switch) -> str:
    """Return what a switch is about and for whom, such as `tool:confirm_quote of tenant acme`."""
    if switch.kind == "tenant":
        return f"tenant:{switch.name}"
    what = "work" if switch.kind == ALL_TURNS.kind else f"{switch.kind}:{switch.name}"
    return f"{what} of {whose(switch)}"


def line_of(switch: Switch) -> str:
    """Return one line on something that is off: what, until when, by whom, why."""
    state = "is paused" if switch.kind == ALL_TURNS.kind else "is off"
    return f"{name_of(switch)} {state} {_end(switch)}, by {switch.off_by}: {switch.reason}"


def with_banner(switches: Sequence[Switch], page: RenderableType) -> RenderableType:
    """Return a page that begins with what is off, a line for each; as it is while all is on."""
    return Group(*(safe_text(line_of(switch), "bold yellow") for switch in switches), page) if switches else page


def table_of_switches(switches: Sequence[Switch]) -> RenderableType:
    """Return what is off, one a line, or a line that says what an empty list means."""
    if not switches:
        return Text("nothing is switched off", "dim")
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("off", "for", "since", "until", "by", "reason"):
        table.add_column(name, overflow="fold")
    for switch in switches:
        table.add_row(
            safe_text("all turns (paused)" if switch.kind == ALL_TURNS.kind else f"{switch.kind}:{switch.name}"),
            safe_text(whose(switch)),
            minute_of(switch.off_at),
            minute_of(switch.off_until) if switch.off_until is not None else "turned on",
            safe_text(switch.off_by),
            safe_text(switch.reason),
        )
    return table


def _end(switch: Switch) -> str:
    return f"until {minute_of(switch.off_until)}" if switch.off_until is not None else "until it is turned on"
