"""Parts that the pages of load tests and soak tests share: their style, sections, tables and what has grown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ops.lab.load.charts import ChartLine, time_chart
from ops.lab.load.markup import node

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from xml.etree.ElementTree import Element

    from ops.lab.load.charts import ChartBand
    from ops.lab.load.measured import Timeline
    from ops.verify.growth_figure import GrowthFigure

STYLE: Final = """
:root { color-scheme: light dark; --ink: #1c2024; --dim: #667078; --rule: #d8dde1; --back: #fff; --band: #f2f5f7;
  --l0: #1f6feb; --l1: #1a7f37; --l2: #bc4c00; --bad: #b3261e; --good: #1a7f37; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e8eb; --dim: #9aa4ac; --rule: #3a4248; --back: #14181b;
  --band: #1c2226; --l0: #6cb2ff; --l1: #56d364; --l2: #f0883e; --bad: #ff7b72; --good: #56d364; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--back); max-width: 60rem;
  margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin-top: 2rem; } figure { margin: 1rem 0; }
.verdict { border-left: .4rem solid var(--good); padding: .5rem 1rem; background: var(--band); font-weight: 600; }
.verdict.bad { border-color: var(--bad); } .bad { color: var(--bad); font-weight: 600; } .dim { color: var(--dim); }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; } caption { text-align: left; }
th, td { padding: .2rem .9rem .2rem 0; text-align: right; border-bottom: 1px solid var(--rule); }
th:first-child, td:first-child { text-align: left; } th { font-weight: 600; color: var(--dim); }
svg { width: 100%; height: auto; } svg text { font-size: 11px; fill: var(--dim); }
.y { text-anchor: end; } .x { text-anchor: middle; } .grid { stroke: var(--rule); }
.band { fill: none; } .band.other { fill: var(--band); }
.band.fault { fill: var(--bad); fill-opacity: .13; } .line { fill: none; stroke-width: 1.8; }
.line.l0 { stroke: var(--l0); } .line.l1 { stroke: var(--l1); } .line.l2 { stroke: var(--l2); }
.key { margin-left: .9rem; } .key::before { content: "\\2501 "; }
.key.l0 { color: var(--l0); } .key.l1 { color: var(--l1); } .key.l2 { color: var(--l2); }
"""


def section(title: str, *parts: Element) -> list[Element]:
    """Return a title and what stands below it."""
    return [node("h2", title), *parts]


def table(head: Iterable[str], rows: Iterable[Iterable[Element | str]]) -> Element:
    """Return a table; a cell that is an element comes as its own `td`."""
    body = [node("tr", *(node("td", one) if isinstance(one, str) else one for one in row)) for row in rows]
    return node("table", node("thead", node("tr", *(node("th", name) for name in head))), node("tbody", *body))


def cell(text: str, *, is_bad: bool) -> Element:
    """Return a table's cell, which stands out when it is bad."""
    return node("td", text, class_="bad" if is_bad else "")


def growth_table(figures: Sequence[GrowthFigure]) -> Element:
    """Return what was watched for growth, and how it stood at the end."""
    rows: list[list[Element | str]] = [
        [
            figure.name,
            f"{figure.first:,.0f}",
            cell(f"{figure.last:,.0f}", is_bad=figure.has_grown),
            f"{figure.most:,.0f}",
            "–" if figure.allowed is None else f"{figure.allowed:,.0f}",
        ]
        for figure in figures
    ]
    return table(["", "warmed up", "at the end", "at most", "allowed"], rows)


def timeline_charts(
    timeline: Timeline, bands: Sequence[ChartBand], flows: Sequence[str], latency: str
) -> list[Element]:
    """Return the charts of a run over time: the `flows` of it (offered, accepted, answered), latencies, the backlog.

    `latency` is the title of the second: latencies from when, and by when.
    """
    width = timeline["slice_seconds"]

    def line(name: str, values: Sequence[float | None]) -> ChartLine:
        return ChartLine(name, [(width * (number + 0.5), value) for number, value in enumerate(values)])

    messages = [line(name, timeline[f"{name}_per_s"]) for name in flows]  # type: ignore[literal-required] # of it
    latencies = [line("p50", timeline["p50_ms"]), line("p95", timeline["p95_ms"]), line("p99", timeline["p99_ms"])]
    return [
        time_chart("Messages", "a second", messages, bands),
        time_chart(latency, "ms", latencies, bands),
        time_chart("Backlog", "messages accepted and not answered", [line("waiting", timeline["backlog"])], bands),
    ]
