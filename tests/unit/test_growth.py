"""Promises of watching growth: the end is compared with what was after the warm-up, and held to a limit."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from ops.lab.growth import LIMITS, judge

KEYS = "Redis keys"


def samples(
    values_at: Callable[[float], Mapping[str, float]], seconds: int = 600
) -> list[tuple[float, dict[str, float]]]:
    return [(float(at), dict(values_at(at))) for at in range(0, seconds + 1, 2)]


@pytest.mark.parametrize("name", [name for name, limit in LIMITS.items() if limit])
def test_what_grows_steadily_is_told_and_what_stays_is_not(name: str) -> None:
    (grown,) = judge(samples(lambda at: {name: 50 + at}))
    (steady,) = judge(samples(lambda at: {name: 50 + at % 4}))

    assert grown.has_grown
    assert (grown.first, grown.last) == pytest.approx((170, 590), abs=3)
    assert grown.most == 650
    assert not steady.has_grown


def test_the_warm_up_does_not_count() -> None:
    (figure,) = judge(samples(lambda at: {KEYS: min(at, 60) * 10}))

    assert (figure.first, figure.last, figure.has_grown) == (600, 600, False)


def test_a_short_peak_is_shown_and_is_no_growth() -> None:
    (figure,) = judge(samples(lambda at: {KEYS: 5_000 if 300 < at < 310 else 10}))

    assert (figure.most, figure.has_grown) == (5_000, False)


def test_what_could_not_be_seen_for_a_while_is_judged_by_the_rest() -> None:
    (figure,) = judge(samples(lambda at: {} if 200 < at < 500 else {KEYS: 10}))

    assert (figure.first, figure.last) == (10, 10)


def test_what_was_not_seen_at_the_end_has_no_figure() -> None:
    assert judge(samples(lambda at: {KEYS: 10} if at < 300 else {})) == []
    assert judge([]) == []
