from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from ops.cli import load_run
from ops.cli.load_run import LoadOutcome
from ops.lab.load.baseline import InvalidReport, read_baseline
from ops.lab.load.charts import ChartBand, ChartLine, nice_ticks, percentile_chart, time_chart
from ops.lab.load.markup import node, write_page
from ops.lab.load.measured import SLICES_MAX, timeline_of, verdict_of
from ops.lab.load.page import change_text, make_page
from ops.verify.growth_figure import GrowthFigure
from ops.verify.tally import Sent
from tests.unit.cli_harness import run_fte
from tests.unit.load_report import report_of

NASTY = '<script>alert("1")</script>&\'"<img src=x onerror=alert(1)>'


def text_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", page.split("</style>")[1]).split())


def test_a_page_runs_nothing_and_loads_nothing() -> None:
    page = make_page(report_of(), [GrowthFigure("worker threads", 1, 9, 9, 2)], None)

    assert "<script" not in page
    assert re.findall(r"\son\w+\s*=", page) == []
    assert re.findall(r"(?:https?:|//|javascript:|url\(|@import|src=|href=)", page) == []
    assert "default-src 'none'" in page


def test_whatever_a_profile_is_called_is_text_on_the_page() -> None:
    page = make_page(report_of(name=NASTY[:60], phase=NASTY[:60]), [GrowthFigure(NASTY, 1, 2, 2, None)], None)

    assert "<script" not in page
    assert "<img" not in page
    assert page.count("&lt;script&gt;") >= 4, "title, heading, the table of phases, the bands of each chart"


def test_text_and_attributes_are_escaped_and_lose_control_characters() -> None:
    written = write_page(
        "a\x00<b>", "p { color: red }", node("p", "1 < 2 & 3", node("b", "x"), "\x1b[31m>", title='"><i>')
    )

    assert "<title>a&lt;b&gt;</title>" in written
    assert '<p title="&quot;&gt;<i&gt;">1 &lt; 2 &amp; 3<b>x</b>[31m&gt;</p>' in written


def test_a_page_says_how_it_went_by_phase_and_in_all() -> None:
    report = report_of(lost=1)

    text = text_of(make_page(report))

    assert "broken: not everything accepted was answered" in text
    assert "lost: accepted, and PostgreSQL knows nothing of it 1" in text
    assert "first 1.0 5 5 0 10 500 500 500 500 500" in text
    assert "second 1.0 5 4 0 10 1,000 1,000 1,000 1,000 1,000" in text


def test_each_chart_has_its_lines() -> None:
    page = make_page(report_of())

    pictures = [ET.fromstring(found) for found in re.findall(r"<svg.*?</svg>", page, re.DOTALL)]  # noqa: S314 - ours
    assert len(pictures) == 4
    for picture in pictures:
        points = [spot for line in picture.iter("polyline") for spot in (line.get("points") or "").split()]
        assert points
        assert all(0 <= float(spot.split(",")[0]) <= 760 and 0 <= float(spot.split(",")[1]) <= 240 for spot in points)


def test_a_page_compares_with_the_run_that_is_its_baseline(tmp_path: Path) -> None:
    file = tmp_path / "before.json"
    file.write_text(json.dumps(report_of(latency=1.0)), encoding="utf-8")

    text = text_of(make_page(report_of(), (), read_baseline(str(file))))

    assert "latency p50, ms 500.0 1,000.0 -50%" in text
    assert "another profile" not in text
    other = text_of(make_page(report_of(name="other"), (), read_baseline(str(file))))
    assert "The baseline ran another profile" in other


@pytest.mark.parametrize(
    ("now", "then", "change"), [(110, 100, "+10%"), (90, 100, "-10%"), (0, 0, "="), (1, 0, "new"), (0, 5, "-100%")]
)
def test_a_change_is_told_in_percent_where_there_is_one(now: float, then: float, change: str) -> None:
    assert change_text(now, then) == change


@pytest.mark.parametrize(
    ("text", "told"), [("nonsense", "no JSON"), ("{}", "missing or wrong: messages"), ("[1]", "the whole")]
)
def test_a_file_that_is_no_report_is_refused_as_a_baseline(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "before.json"
    file.write_text(text, encoding="utf-8")

    with pytest.raises(InvalidReport, match=told):
        read_baseline(str(file))


def test_a_run_whose_generator_was_late_is_invalid_however_well_the_product_did() -> None:
    late, in_time = report_of(lag_seconds=0.2), report_of(lag_seconds=0.05)

    assert (late["is_valid"], in_time["is_valid"]) == (False, True)
    assert "invalid: the generator was late by 200 ms" in verdict_of(late)
    assert "invalid" in text_of(make_page(late))


def test_an_invalid_run_is_told_and_ends_with_code_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    codes = {}
    for name, lag_seconds in {"late": 0.2, "in time": 0.0}.items():
        outcome = LoadOutcome(report_of(lag_seconds=lag_seconds))
        monkeypatch.setattr(load_run, "run_anywhere", lambda *_, outcome=outcome, **__: outcome)
        codes[name], output, _ = run_fte(capsys, "load", "--report", str(tmp_path / "page.html"))
        assert ("invalid: the generator was late" in output) == (name == "late")

    assert codes == {"late": 1, "in time": 0}
    assert (tmp_path / "page.html").read_text(encoding="utf-8").startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--profile", "ramp", "--rate", "5", "--turns", "2"], "leave out --turns, --rate"),
        (["--profile", "nowhere.toml"], "profiles that come along: door, hot, ramp"),
        (["--profile", "ramp", "--faults"], "does not go with"),
        (["--baseline", "before.json"], "needs --report"),
        (["--baseline", "nowhere.json", "--report", "x.html"], "nowhere.json: No such file"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    code, _, said = run_fte(capsys, "load", *arguments)

    assert code == 2
    assert told in " ".join(re.sub(r"[│╭╮╰╯─]", " ", said).split())


def test_a_timeline_counts_every_message_and_has_few_slices_however_long_it_is() -> None:
    sent = [Sent("c", number, 100.0 + number * 7, accepted_at=101.0 + number * 7) for number in range(500)]

    timeline = timeline_of(sent, [])

    assert 1 < len(timeline["offered_per_s"]) <= SLICES_MAX
    assert sum(timeline["offered_per_s"]) * timeline["slice_seconds"] == pytest.approx(500, rel=0.02)
    assert sum(timeline["accepted_per_s"]) * timeline["slice_seconds"] == pytest.approx(500, rel=0.02)
    assert timeline["backlog"][-1] == 500
    assert set(timeline["p99_ms"]) == {None}


def test_a_backlog_is_what_is_accepted_and_not_answered_yet() -> None:
    timeline = report_of(latency=2.0)["timeline"]

    assert max(timeline["backlog"]) == 4, "the last five wait for four seconds"
    assert timeline["backlog"][-1] == 0


@pytest.mark.parametrize(
    ("most", "ticks"), [(0, [0]), (4, [0, 1, 2, 3, 4]), (90, [0, 20, 40, 60, 80]), (1_050, [0, 500, 1_000])]
)
def test_ticks_are_round_numbers(most: float, ticks: list[float]) -> None:
    assert nice_ticks(most) == pytest.approx(ticks)


def test_charts_without_any_figure_are_drawn_empty() -> None:
    for chart in (time_chart("t", "u", [ChartLine("l", [])], []), percentile_chart("t", "u", [])):
        assert list(chart.iter("polyline")) == []


def test_a_phase_too_short_for_its_name_shows_as_much_of_it_as_fits() -> None:
    bands = [ChartBand("a long name of a phase", 0, 50), ChartBand("another one", 50, 54), ChartBand("it", 54, 54.1)]

    chart = time_chart("t", "u", [ChartLine("l", [(100, 1)])], bands)

    names = [text.text for text in chart.iter("text") if text.get("class") == "phase"]
    assert names == ["a long name of a phase", "an…", ""]


def test_a_gap_in_the_figures_is_a_gap_in_the_line() -> None:
    chart = time_chart("t", "u", [ChartLine("l", [(0, 1), (1, 2), (2, None), (3, 4), (4, 5)])], [])

    assert len(list(chart.iter("polyline"))) == 2
