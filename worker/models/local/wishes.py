"""Tell what a customer wants done to a booking."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Literal, get_args

from worker.patterns import load_patterns

Wish = Literal[
    "documents", "upgrade", "name", "bags", "extras", "cancel", "check_in", "seat_status", "seat_change",
    "change_flight", "new_booking", "refund", "booking_status",
]  # fmt: skip
"""In the order they are looked for: the narrower one first."""

SEAT_WISHES = frozenset({"seat_change", "seat_status"})
READ_WISHES = frozenset({"seat_status", "booking_status"})


@cache
def _wishes() -> Mapping[Wish, re.Pattern[str]]:
    """Give every wish of `wishes.patterns`; the first that fits counts."""
    known = load_patterns("worker.models.local", "wishes.patterns")
    return MappingProxyType({wish: re.compile(rf"\b{known[wish]}\b") for wish in get_args(Wish)})


def find_wish(text: str) -> Wish | None:
    """Name the wish in one message; None when it holds none."""
    said = text.lower().replace("\u2019", "'")
    return next((wish for wish, pattern in _wishes().items() if pattern.search(said)), None)


def current_wish(texts: Sequence[str]) -> Wish | None:
    """Name what the customer wants now: the newest message that says so counts."""
    for text in reversed(texts):
        wish = find_wish(text)
        if wish is not None:
            return wish
    return None
