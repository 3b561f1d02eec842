"""How `fte audit` shows acts and reports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table

from ops.terminal import safe_text

if TYPE_CHECKING:
    from ops.audit.verification import ChainReport


def table_of_acts(acts: list[dict[str, Any]]) -> Table:
    """Return acts as a table."""
    table = Table("no.", "at (UTC)", "who", "as", "what", "to", "why", box=None, pad_edge=False, header_style="dim")
    for act in acts:
        gone = f"erased, see {act['erased_by']}"
        table.add_row(
            str(act["number"]),
            f"{act['at']:%Y-%m-%d %H:%M:%S}",
            safe_text(act["actor"]),
            act["role"],
            act["operation"],
            gone if act["erased_by"] else safe_text(act["object"] or ""),
            "" if act["erased_by"] else safe_text(act["reason"] or ""),
        )
    return table


def line_of_report(report: ChainReport) -> str:
    """Return what verifying one chain found, in a line."""
    name = "operators" if report.tenant == "*" else report.tenant
    if not report.is_whole:
        return f"{name}: broken at entry {report.broken_at}: {report.problem}; good up to {report.anchor}"
    erased = f", {report.erased} of them with object and reason erased on record" if report.erased else ""
    return f"{name}: {report.entries} entries, whole{erased}; anchor {report.anchor}"
