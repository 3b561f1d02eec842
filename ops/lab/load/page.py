"""Write the report of a load test as one HTML file that loads nothing and runs nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ops.lab.load.charts import ChartBand, ChartLine, percentile_chart
from ops.lab.load.markup import node, write_page
from ops.lab.load.measured import verdict_of
from ops.lab.load.page_parts import STYLE, cell, growth_table, section, table, timeline_charts
from ops.verify.tally import is_kept

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
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


def make_page(report: MeasuredLoad, figures: Sequence[GrowthFigure] = (), baseline: Baseline | None = None) -> str:
    """Return the report of a run as a page; `figures`: what grew; `baseline`: the run it is compared with."""
    setup = report["setup"]
    grown = [figure.name for figure in figures if figure.has_grown]
    is_good = report["is_valid"] and is_kept(report) and not grown
    verdict = verdict_of(report) + (f"; grown: {', '.join(grown)}" if grown else "")
    name = f"Load test: {setup['profile']['name']}"
    return write_page(
        name,
        STYLE,
        node("h1", name),
        node("p", verdict, class_="verdict" if is_good else "verdict bad"),
        node("p", _setup_line(setup), class_="dim"),
        *section("Promises", _promises(report)),
        *section("Waiting", _waiting(report), _curve(report, baseline)),
        *section("Over time", *_over_time(report)),
        *section("By phase", _by_phase(report)),
        *(section("Compared", *_compared(report, baseline)) if baseline else []),
        *(section("Growth", growth_table(figures)) if figures else []),
        *section("The generator", _generator(report)),
    )


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
        rows.append([text, cell(f"{count:,}", is_bad=count > 0)])
    rows.append(["entries repeated, passed over", f"{report['repeated']:,}"])
    return table(["messages", ""], rows)


def _waiting(report: MeasuredLoad) -> Element:
    rows = {
        "from when it was due to the reply": report["latency_ms"],
        "of these, without the model": report["overhead_ms"],
        "from sending to the receipt": report["acceptance_ms"],
    }
    return table(["milliseconds", *_PERCENTILES], [[title, *_ms(dict(of))] for title, of in rows.items()])


def _curve(report: MeasuredLoad, baseline: Baseline | None) -> Element:
    lines = [ChartLine("this run", report["curve"])]
    if baseline is not None and baseline.curve:
        lines.append(ChartLine("baseline", baseline.curve))
    return percentile_chart("Latency that so many messages do not exceed", "ms", lines)


def _over_time(report: MeasuredLoad) -> list[Element]:
    bands, begin = [], 0.0
    for phase in report["phases"]:
        bands.append(ChartBand(phase["name"], begin, begin + phase["seconds"]))
        begin += phase["seconds"]
    flows = ("offered", "accepted", "answered")
    return timeline_charts(report["timeline"], bands, flows, "Latency, by when a message was due")


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
    return table(head, rows)


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
    compared = table(["", "this run", "baseline", "change"], rows)
    return [*(node("p", note, class_="bad") for note in notes), compared]


def change_text(now: float, then: float) -> str:
    """Return how a figure has changed, in percent; from zero there is no percent."""
    if then == 0:
        return "=" if now == 0 else "new"
    return f"{(now - then) / then:+.0%}"


def _generator(report: MeasuredLoad) -> Element:
    bound = report["lag_ms_max"]
    lags = {"sending": report["lag_ms"], "reading": report["reader_lag_ms"]}
    rows: list[list[Element | str]] = []
    for title, of in lags.items():
        p50, p95, p99, most = _ms(dict(of))
        rows.append([title, p50, p95, cell(p99, is_bad=of["p99"] > bound), most, f"{bound:,.0f}"])
    return table(["lag, ms", *_PERCENTILES, "p99 allowed"], rows)
