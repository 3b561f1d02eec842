"""Keep the matrix whole: every point has a row, every row is told of, and none can pass without having taken place."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ops.lab.chaos.audit import Findings
from ops.lab.chaos.crash_points import CRASH_POINTS
from ops.lab.chaos.faults import FAULTS, Fault, choose_faults, no_fault
from ops.lab.chaos.run import FaultResult, judge, judge_times, sum_up
from ops.lab.machine_speed import REFERENCE_SECONDS, SLOWNESS_MAX, slowness_of
from runtime.failpoints import POINTS

RELIABILITY = Path(__file__).parents[2] / "docs" / "reliability.md"


def fault(**held_to: object) -> Fault:
    return Fault("F0", "nothing", no_fault, None, **held_to)  # type: ignore[arg-type]  # whichever is under test


def test_every_named_point_has_a_row() -> None:
    assert {point.point for point in CRASH_POINTS} == set(POINTS)


def test_every_row_has_a_name_of_its_own_and_is_told_of() -> None:
    rows = re.findall(r"^\| ([FPARD][\w, ]+) \|", RELIABILITY.read_text(), re.MULTILINE)
    told = {name for names in rows for name in names.split(", ")}

    names = [each.name for each in FAULTS]
    assert len(set(names)) == len(names)
    assert set(names) <= told


def test_faults_are_chosen_by_name_and_an_unknown_one_is_refused() -> None:
    assert [each.name for each in choose_faults("p9, F1")] == ["P9", "F1"]
    with pytest.raises(ValueError, match="F99"):
        choose_faults("F99")


@pytest.mark.parametrize(
    ("held_to", "found"),
    [
        ({"publishes_nothing_again": True}, Findings(raw_duplicates=1)),
        ({"asks_nothing_again": True}, Findings(asked_again=1)),
        ({"breaks_calls_off": True}, Findings(broken_off=2)),
        ({}, Findings(lost=1, examples=["lost: m-1"])),
    ],
)
def test_what_a_row_is_held_to_is_judged(held_to: dict[str, object], found: Findings) -> None:
    assert len(judge(fault(**held_to), found, {}, kills=3)) == 1
    assert judge(fault(**held_to), Findings(broken_off=3), {}, kills=3) == []


def test_a_slow_machine_has_as_many_times_longer_and_no_more() -> None:
    moves = Fault("F0", "nothing", no_fault, 8)

    answers = fault(answers_within_seconds_max=5)

    assert judge_times(moves, Findings(moved_again_seconds=8.1), slowness=1.0)
    assert judge_times(moves, Findings(moved_again_seconds=15.9), slowness=2.0) == []
    (late,) = judge_times(moves, Findings(moved_again_seconds=16.1), slowness=2.0)
    assert "8 s are promised, 16 s here" in late
    assert judge_times(answers, Findings(slowest_seconds=5.1), slowness=1.0)
    assert judge_times(answers, Findings(slowest_seconds=9.9), slowness=2.0) == []
    assert judge_times(answers, Findings(slowest_seconds=10.1), slowness=2.0)


def test_slowness_is_that_of_the_work_and_bounded_both_ways() -> None:
    assert slowness_of(REFERENCE_SECONDS * 2) == 2.0
    assert slowness_of(REFERENCE_SECONDS / 2) == 1.0
    assert slowness_of(REFERENCE_SECONDS * 100) == SLOWNESS_MAX


def test_a_row_that_was_not_shown_does_not_count_as_one_that_was() -> None:
    shown = FaultResult(fault(), Findings(messages=120), 20, 30.0, ())
    not_shown = FaultResult(fault(), Findings(), 0, 0.0, (), unshown="needs root")

    totals = sum_up([shown, not_shown], 90)

    assert (totals.rows, totals.kills, totals.messages, totals.minutes) == (1, 20, 120, 1.5)
    assert (totals.broken, totals.unshown) == ((), ("F0",))
