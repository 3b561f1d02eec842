"""Commands that break things on purpose: what they print for a program, and when they succeed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.acceptance.fte_process import Fte

if TYPE_CHECKING:
    from pathlib import Path

SECONDS_MAX = 240.0
ZEROS = ("lost", "duplicated", "out_of_order", "effects_doubled")


def test_chaos_prints_a_line_for_each_row_and_one_with_the_sums(tmp_path: Path) -> None:
    done = Fte(tmp_path).run("chaos", "--fault", "F26", "--json", seconds_max=SECONDS_MAX)

    row, totals = done.lines
    assert done.code == 0, done.told
    assert (row["fault"], row["broken"], [row[name] for name in ZEROS]) == ("F26", [], [0, 0, 0, 0])
    assert row["messages"] >= 120
    assert totals["totals"]["rows"] == 1
    assert "every promise kept" in done.told


def test_a_soak_audits_every_message_and_says_what_has_grown(tmp_path: Path) -> None:
    done = Fte(tmp_path).run(
        *("load", "--duration", "8s", "--faults", "--conversations", "6", "--rate", "3", "--json", "-"),
        *("--report", str(tmp_path / "soak.html")),
        seconds_max=SECONDS_MAX,
    )

    (report,) = done.lines
    assert [report[name] for name in ZEROS] == [0, 0, 0, 0], done.told
    assert (report["violations"], report["broken"]) == ([], [])
    assert report["messages"] >= 24
    assert report["kills"] > 0
    page = (tmp_path / "soak.html").read_text()
    assert page.count('class="band fault"') >= report["kills"], "each death is a band in each chart"
    assert "<script" not in page
    assert {figure["name"] for figure in report["growth"]} >= {"worker memory, MB", "Redis keys"}
    assert done.code == int(any(figure["last"] > figure["allowed"] for figure in report["growth"] if figure["allowed"]))
