"""Write the report of a load test as one HTML file that loads nothing and runs nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ops.lab.load.charts import ChartBand, ChartLine, percentile_chart, time_chart
from ops.lab.load.markup import node, write_page
from ops.lab.load.measured import verdict_of
from ops.verify.tally import is_kept

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from xml.etree.ElementTree import Element

    from ops.lab.load.baseline import Baseline
    from ops.lab.load.measured import MeasuredLoad
    from ops.verify.growth_figure import GrowthFigure

_PERCENTILES: Final = ("p50", "p95", "p99", "max")
_BROKEN: Final = {
    "lost": "lost: accepted, and PostgreSQL knows nothing of it",
    "unanswered": "not answered in time",
    "unread": "answered, and the reply not read",
    "duplicated": "answered twice",
    "out_of_order": "answered out of order",
}
_STYLE: Final = """
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
.band { fill: none; } .band.other { fill: var(--band); } .line { fill: none; stroke-width: 1.8; }
.line.l0 { stroke: var(--l0); } .line.l1 { stroke: var(--l1); } .line.l2 { stroke: var(--l2); }
.key { margin-left: .9rem; } .key::before { content: "\\2501 "; }
.key.l0 { color: var(--l0); } .key.l1 { color: var(--l1); } .key.l2 { color: var(--l2); }
"""


def make_page(report: MeasuredLoad, figures: Sequence[GrowthFigure] = (), baseline: Baseline | None = None) -> str:
    """Return the report of a run as a page; `figures`: what grew; `baseline`: the run it is compared with."""
    setup = report["setup"]
    grown = [figure.name for figure in figures if figure.has_grown]
    is_good = report["is_valid"] and is_kept(report) and not grown
    verdict = verdict_of(report) + (f"; grown: {', '.join(grown)}" if grown else "")
    name = f"Load test: {setup['profile']['name']}"
    return write_page(
        name,
        _STYLE,
        node("h1", name),
        node("p", verdict, class_="verdict" if is_good else "verdict bad"),
        node("p", _setup_line(setup), class_="dim"),
        *_section("Promises", _promises(report)),
        *_section("Waiting", _waiting(report), _curve(report, baseline)),
        *_section("Over time", *_over_time(report)),
        *_section("By phase", _by_phase(report)),
        *(_section("Compared", *_compared(report, baseline)) if baseline else []),
        *(_section("Growth", _growth(figures)) if figures else []),
        *_section("The generator", _generator(report)),
    )


def _section(title: str, *parts: Element) -> list[Element]:
    return [node("h2", title), *parts]


def _table(head: Iterable[str], rows: Iterable[Iterable[Element | str]]) -> Element:
    """Return a table; a cell that is an element comes as its own `td`."""
    body = [node("tr", *(node("td", cell) if isinstance(cell, str) else cell for cell in row)) for row in rows]
    return node("table", node("thead", node("tr", *(node("th", name) for name in head))), node("tbody", *body))


def _bad(text: str, *, is_bad: bool) -> Element:
    return node("td", text, class_="bad" if is_bad else "")


def _ms(values: Mapping[str, Any]) -> list[str]:
    return [f"{values[name]:,.0f}" for name in _PERCENTILES]


def _setup_line(setup: Mapping[str, Any]) -> str:
    profile = setup["profile"]
    parts = [
        f"{len(profile['phases'])} phases" if len(profile["phases"]) > 1 else "one phase",
        f"{profile['conversations']:,} customers at once",
        f"arrivals {profile['arrivals']}",
        f"model {profile.get('model_latency_ms') or '0'} ms a call",
        f"in by {setup['via']}, {setup['senders']} sender{'s' if setup['senders'] > 1 else ''}",
        f"{setup['cores']} cores",
        *([f"{setup['workers']} workers"] if "workers" in setup else []),
        *([f"workers' work took {setup['loop_slowdown']:g} × its time"] if "loop_slowdown" in setup else []),
    ]
    return " · ".join(parts)


def _promises(report: MeasuredLoad) -> Element:
    rows: list[list[Element | str]] = [
        ["accepted", f"{report['messages']:,}"],
        ["replies (one may answer several messages)", f"{report['replies']:,}"],
        ["escalations", f"{report['escalations']:,}"],
    ]
    for key, text in _BROKEN.items():
        count = int(report[key])  # type: ignore[literal-required] # names of it
        rows.append([text, _bad(f"{count:,}", is_bad=count > 0)])
    rows.append(["entries repeated, passed over", f"{report['repeated']:,}"])
    return _table(["messages", ""], rows)


def _waiting(report: MeasuredLoad) -> Element:
    rows = {
        "from when it was due to the reply": report["latency_ms"],
        "of these, without the model": report["overhead_ms"],
        "from sending to the receipt": report["acceptance_ms"],
    }
    return _table(["milliseconds", *_PERCENTILES], [[title, *_ms(dict(of))] for title, of in rows.items()])


def _curve(report: MeasuredLoad, baseline: Baseline | None) -> Element:
    lines = [ChartLine("this run", report["curve"])]
    if baseline is not None and baseline.curve:
        lines.append(ChartLine("baseline", baseline.curve))
    return percentile_chart("Latency that so many messages do not exceed", "ms", lines)


def _over_time(report: MeasuredLoad) -> list[Element]:
    timeline = report["timeline"]
    width = timeline["slice_seconds"]

    def line(name: str, values: Sequence[float | None]) -> ChartLine:
        return ChartLine(name, [(width * (number + 0.5), value) for number, value in enumerate(values)])

    bands, begin = [], 0.0
    for phase in report["phases"]:
        bands.append(ChartBand(phase["name"], begin, begin + phase["seconds"]))
        begin += phase["seconds"]
    flows = [
        line("offered", timeline["offered_per_s"]),
        line("accepted", timeline["accepted_per_s"]),
        line("answered", timeline["answered_per_s"]),
    ]
    latencies = [line("p50", timeline["p50_ms"]), line("p95", timeline["p95_ms"]), line("p99", timeline["p99_ms"])]
    return [
        time_chart("Messages", "a second", flows, bands),
        time_chart("Latency, by when a message was due", "ms", latencies, bands),
        time_chart("Backlog", "messages accepted and not answered", [line("waiting", timeline["backlog"])], bands),
    ]


def _by_phase(report: MeasuredLoad) -> Element:
    head = ["phase", "due a second", "accepted", "answered", "refused tries", "receipt p99, ms"]
    head += [f"{name}, ms" for name in _PERCENTILES] + ["p99 without the model, ms"]
    rows = [
        [
            phase["name"],
            f"{phase['offered_per_s']:,.1f}",
            *(f"{count:,}" for count in (phase["messages"], phase["answered"], phase["refused"])),
            f"{phase['acceptance_ms']['p99']:,.0f}",
            *_ms(dict(phase["latency_ms"])),
            f"{phase['overhead_ms']['p99']:,.0f}",
        ]
        for phase in report["phases"]
    ]
    return _table(head, rows)


def _compared(report: MeasuredLoad, baseline: Baseline) -> list[Element]:
    pairs = {
        "accepted a second": (report["accepted_per_s"], baseline.accepted_per_s),
        "answered a second": (report["messages_per_s"], baseline.messages_per_s),
    }
    for title, mine, other in (
        ("latency", report["latency_ms"], baseline.latency_ms),
        ("without the model", report["overhead_ms"], baseline.overhead_ms),
        ("to the receipt", report["acceptance_ms"], baseline.acceptance_ms),
    ):
        for name, now in dict(mine).items():
            pairs[f"{title} {name}, ms"] = (float(str(now)), getattr(other, name))
    for key, text in _BROKEN.items():
        pairs[text] = (float(report[key]), float(getattr(baseline, key)))  # type: ignore[literal-required] # names of it
    rows = [[name, f"{now:,.1f}", f"{then:,.1f}", change_text(now, then)] for name, (now, then) in pairs.items()]
    notes = []
    if not baseline.is_valid:
        notes.append("The baseline is invalid: its generator was late.")
    if baseline.setup.get("profile") != report["setup"]["profile"]:
        notes.append("The baseline ran another profile, so differences are not the product's alone.")
    table = _table(["", "this run", "baseline", "change"], rows)
    return [*(node("p", note, class_="bad") for note in notes), table]


def change_text(now: float, then: float) -> str:
    """Return how a figure has changed, in percent; from zero there is no percent."""
    if then == 0:
        return "=" if now == 0 else "new"
    return f"{(now - then) / then:+.0%}"


def _growth(figures: Sequence[GrowthFigure]) -> Element:
    rows: list[list[Element | str]] = [
        [
            figure.name,
            f"{figure.first:,.0f}",
            _bad(f"{figure.last:,.0f}", is_bad=figure.has_grown),
            f"{figure.most:,.0f}",
            "–" if figure.allowed is None else f"{figure.allowed:,.0f}",
        ]
        for figure in figures
    ]
    return _table(["", "warmed up", "at the end", "at most", "allowed"], rows)


def _generator(report: MeasuredLoad) -> Element:
    bound = report["lag_ms_max"]
    lags = {"sending": report["lag_ms"], "reading": report["reader_lag_ms"]}
    rows: list[list[Element | str]] = []
    for title, of in lags.items():
        p50, p95, p99, most = _ms(dict(of))
        rows.append([title, p50, p95, _bad(p99, is_bad=of["p99"] > bound), most, f"{bound:,.0f}"])
    return _table(["lag, ms", *_PERCENTILES, "p99 allowed"], rows)
