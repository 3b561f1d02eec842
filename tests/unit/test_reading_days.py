"""Read the day that is meant and the option that is taken, with what is named only to be turned down."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from worker.domains.airline.local.reading.dates import find_day
from worker.domains.airline.local.reading.options import choose_option, options_at, options_shown

TODAY = date(2026, 11, 29)  # a Sunday
BOOKED = date(2026, 12, 4)  # a Friday


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("the day after tomorrow", "2026-12-01"), ("the day after", "2026-12-05"), ("6.12.2026", "2026-12-06"),
        ("on 6.12. please", "2026-12-06"), ("24/12", "2026-12-24"), ("12/24", "2026-12-24"),
        ("Sunday instead of Friday", "2026-12-06"), ("on Sunday rather than on Friday", "2026-12-06"),
        ("I can't make it on Friday, could I come on Sunday?", "2026-12-06"), ("from Friday to Sunday", "2026-12-06"),
        ("not Friday, Thursday please", "2026-12-03"), ("from December 4 to December 9", "2026-12-09"),
        ("Dec 7, not Dec 6", "2026-12-07"), ("push it back by two days", "2026-12-06"),
        ("push my flight back 24 hours", "2026-12-05"), ("two weeks later", "2026-12-18"), ("tonight", "2026-11-29"),
        ("the weekend", None), ("it costs 6.12 dollars", None),
    ],
)  # fmt: skip
def test_a_day_is_read_as_it_is_meant(text: str, day: str | None) -> None:
    found = find_day(text, TODAY, BOOKED)

    assert (found.isoformat() if found else None) == day


def option(number: int, flight: str, departs: str, price: int) -> dict[str, Any]:
    return {
        "option": number,
        "flights": [{"flight_number": flight, "origin": "DTW", "departs": f"2026-12-06 {departs}"}],
        "cabins": {"economy": {"price_usd": price}},
    }


FOUND = [
    option(1, "LF122", "09:05", 161), option(2, "LF118", "11:15", 140), option(4, "LF110", "07:05", 408),
    option(5, "LF130", "18:30", 199),
]  # fmt: skip
LISTED = (
    "These flights are open on 2026-12-06:\n"
    "Option 1: LF110 DTW 07:05 to MSP 08:00, economy $408\n"
    "Option 2: LF122 DTW 09:05 to MSP 09:40, economy $161\n"
    "Option 3: LF130 DTW 18:30 to MSP 19:05, economy $199\n"
    "Which option would you like?"
)


@pytest.mark.parametrize(
    ("text", "flight"),
    [
        ("the second one", "LF122"), ("option 3", "LF130"), ("1 please", "LF110"), ("one", "LF110"), ("2", "LF122"),
        ("I'd take the first", "LF110"), ("the last one", "LF130"), ("the 9:05 one", "LF122"), ("9.05 please", "LF122"),
        ("the one at 9", "LF122"), ("the 6.30 pm flight", "LF130"), ("the $199 one", "LF130"), ("LF110", "LF110"),
        ("the cheapest", "LF122"), ("the evening one", "LF130"), ("the earliest", "LF110"), ("I am not sure", None),
        ("option 4", None),
    ],
)  # fmt: skip
def test_an_option_is_taken_as_the_reply_numbered_it(text: str, flight: str | None) -> None:
    chosen = choose_option(text, options_shown(LISTED, FOUND), "economy")

    assert (chosen["flights"][0]["flight_number"] if chosen else None) == flight


@pytest.mark.parametrize(
    ("text", "flights"),
    [
        ("in the evening", ["LF130"]), ("in the afternoon", []), ("some morning flight", ["LF122", "LF118", "LF110"]),
        ("before 10", ["LF122", "LF110"]), ("after 5 pm", ["LF130"]),
        ("any time", ["LF122", "LF118", "LF110", "LF130"]),
    ],
)  # fmt: skip
def test_options_are_kept_that_leave_when_it_is_wished(text: str, flights: list[str]) -> None:
    assert [found["flights"][0]["flight_number"] for found in options_at(text, FOUND)] == flights
