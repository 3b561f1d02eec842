"""Values are read alike however they are written."""

from __future__ import annotations

import pytest

from worker.guardrails.values import (
    follows_from,
    read_addresses,
    read_dates,
    read_days,
    read_figures,
    read_links,
    read_money,
    read_times,
)


@pytest.mark.parametrize(
    ("text", "sums"),
    [
        ("four hundred dollars", {"$400"}),
        ("$1,240.50 and 35 USD", {"$1240.5", "$35"}),
        ('{"price_usd": -535, "bags": 2}', {"$535"}),
        ("£50 or 20 euros", {"£50", "€20"}),
        ("five hundred and thirty-five dollars", {"$535"}),
        ("seat 12A at 50 lbs", set()),
    ],
)
def test_sums(text: str, sums: set[str]) -> None:
    assert read_money(text) == sums


@pytest.mark.parametrize(
    ("text", "figures"),
    [
        ("two days", {"2880 minutes"}),
        ("48 hours", {"2880 minutes"}),
        ("5 to 7 days", {"7200 minutes", "10080 minutes"}),
        ("within the hour", {"60 minutes"}),
        ("in half an hour", {"30 minutes"}),
        ("a 60-pound bag", {"60 lb"}),
        ("18 x 11 x 11 inches", {"18 in", "11 in"}),
        ("10% off, 2,000 bonus miles", {"10 %", "2000 mile"}),
        ("gate 12, $50", set()),
    ],
)
def test_figures(text: str, figures: set[str]) -> None:
    assert read_figures(text) == figures


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("2026-12-04 09:05", {"12-04"}),
        ("December 4, Dec 5 and the 6th of December", {"12-04", "12-05", "12-06"}),
        ("the fourth of December", {"12-04"}),
        ("on 5 December. The first leaves early", {"12-05"}),
    ],
)
def test_dates(text: str, days: set[str]) -> None:
    assert read_dates(text) == days


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("16:15 and 4:15 pm", {"16:15"}),
        ("at 9 a.m., noon", {"09:00", "12:00"}),
        ("21:10:05", {"21:10"}),
        ("12 bags for 3 people", set()),
    ],
)
def test_times(text: str, times: set[str]) -> None:
    assert read_times(text) == times


def test_days_follow_from_dates() -> None:
    assert read_days('{"date": "2026-12-04", "today": "2026-12-03"}') == {"thursday", "friday", "tomorrow"}
    assert read_days("see you tomorrow, or on Monday") == {"tomorrow", "monday"}


def test_links_and_addresses() -> None:
    assert read_links("see https://www.a.example/x or shop.b.com") == {"a.example", "shop.b.com"}
    assert read_links("write to help@b.example") == set()
    assert read_addresses("1600 Waverly Parade, @LarkHelp") == {"1600 waverly parade", "@larkhelp"}


def test_sums_follow_from_two_known_ones() -> None:
    assert follows_from("$485", {"$535", "$50"})
    assert follows_from("$585", {"$535", "$50"})
    assert not follows_from("$0", {"$535"})
    assert not follows_from("€485", {"$535", "$50"})
