"""Write the report of a soak test as one HTML file that loads nothing and runs nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ops.lab.load.charts import ChartBand
from ops.lab.load.markup import node, write_page
from ops.lab.load.measured import KEPT
from ops.lab.load.page_parts import STYLE, cell, growth_table, section, table, timeline_charts

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from ops.lab.chaos.soak import Soaked


def make_soak_page(soaked: Soaked) -> str:
    """Return the report of a soak test as a page, with the faults as bands in its charts."""
    grown = [figure.name for figure in soaked.figures if figure.has_grown]
    verdict = "broken: " + "; ".join(soaked.broken) if soaked.broken else KEPT
    if grown:
        verdict += f"; grown: {', '.join(grown)}"
    title = f"Soak test: {soaked.row.fault.title}"
    return write_page(
        title,
        STYLE,
        node("h1", title),
        node("p", verdict, class_="verdict" if soaked.is_good else "verdict bad"),
        *section("Promises", _promises(soaked)),
        *section("Over time", *_over_time(soaked)),
        *section("Faults", _faults(soaked)),
        *section("Growth", growth_table(soaked.figures)),
    )


def _promises(soaked: Soaked) -> Element:
    found = soaked.row.findings
    rows: list[list[Element | str]] = [
        ["accepted", f"{found.messages:,}"],
        ["changes of bookings", f"{found.changes:,}"],
        ["processes killed", f"{soaked.row.kills:,}"],
        ["longest wait for a turn, s", f"{found.slowest_seconds:.1f}"],
    ]
    for text, count in (
        ("lost", found.lost),
        ("duplicated", found.duplicated),
        ("out of order", found.out_of_order),
        ("effects doubled", found.effects_doubled),
        ("violations that `fte verify` finds", len(soaked.violations)),
    ):
        rows.append([text, cell(f"{count:,}", is_bad=count > 0)])
    rows += [
        [f"until the answer is in PostgreSQL, {name}, ms", f"{value:,.0f}"]
        for name, value in dict(soaked.latency_ms).items()
    ]
    return table(["messages", ""], rows)


def _over_time(soaked: Soaked) -> list[Element]:
    bands = [
        ChartBand(span.name, max(0.0, span.began_at - soaked.began_at), span.ended_at - soaked.began_at, is_fault=True)
        for span in soaked.row.spans
    ]
    latency = "From acceptance to the answer, by when a message was accepted"
    return timeline_charts(soaked.timeline, bands, ("accepted", "answered"), latency)


def _faults(soaked: Soaked) -> Element:
    rows = [
        [span.name, f"{span.began_at - soaked.began_at:,.1f}", f"{span.ended_at - span.began_at:,.1f}"]
        for span in sorted(soaked.row.spans, key=lambda span: span.began_at)
    ]
    return table(["fault", "at, s", "for, s"], rows)
