"""Tell what a customer wants done to a booking."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Literal, get_args

from runtime.patterns import load_patterns
from worker.domains.airline.local.reading.clauses import asks_to_travel, clauses_in, wish_text
from worker.domains.airline.local.reading.dates import find_day
from worker.domains.airline.local.reading.seats import without_states

Wish = Literal[
    "documents", "upgrade", "name", "bags", "extras", "cancel", "check_in", "seat_status", "seat_change",
    "change_flight", "new_booking", "refund", "booking_status",
]  # fmt: skip
"""In the order they are looked for: the narrower one first."""

SEAT_WISHES = frozenset({"seat_change", "seat_status"})


@cache
def _wishes() -> Mapping[Wish, re.Pattern[str]]:
    """Return every wish of `wishes.patterns`; the first that fits counts."""
    known = load_patterns("worker.domains.airline.local.reading", "wishes.patterns")
    return MappingProxyType({wish: re.compile(rf"\b{known[wish]}\b") for wish in get_args(Wish)})


def find_wish(text: str) -> Wish | None:
    """Name the main wish in one message; None when it holds none, or only says what is not to be done."""
    return next(iter(find_wishes(text)), None)


def wish_in(clause: str) -> Wish | None:
    """Name the wish in one clause: the first section of `wishes.patterns` that fits."""
    said = clause.lower().replace("\u2019", "'")
    wished = without_states(said)
    found = next((wish for wish, pattern in _wishes().items() if pattern.search(wished)), None)
    if found in {None, "booking_status"} and _is_other_day_wanted(said):
        return "change_flight"
    return found


def _is_other_day_wanted(said: str) -> bool:
    """Check whether a clause asks to travel at another time: "move me to Sunday", "could I come on the 5th"."""
    return asks_to_travel(said) and find_day(said, _ANY_DAY, _ANY_DAY) is not None


WEAK = frozenset[Wish]({"seat_status", "booking_status", "refund", "new_booking"})
"""Wishes whose words stand beside a plainer one as often as alone."""
PLAIN = frozenset[Wish]({"upgrade", "bags", "name", "cancel", "seat_change", "change_flight"})
"""Wishes whose words are plain enough to be heard beside another one in the same message."""

_SPEAKS_OF_NEW = re.compile(r"\b(?:book|buy|purchase|new (?:booking|ticket|trip|flight))\b", re.IGNORECASE)


def speaks_of_new(text: str) -> bool:
    """Check whether a message speaks of booking something, and not only of flights: "book me a flight"."""
    return _SPEAKS_OF_NEW.search(text) is not None


_ANY_DAY = date(2000, 1, 1)
_CACHED_TEXTS_MAX = 2_048


@lru_cache(maxsize=_CACHED_TEXTS_MAX)
def find_wishes(text: str) -> tuple[Wish, ...]:
    """Name every wish in one message in the customer's order, but what stands beside a plainer wish after it."""
    found = [wish for clause in clauses_in(text) if (wish := wish_in(clause))]
    if not found:
        whole = wish_in(wish_text(text))
        return (whole,) if whole else ()
    plain = [wish for wish in found if wish not in WEAK]
    first = (plain or found)[0]
    return tuple(dict.fromkeys((first, *(wish for wish in plain if wish in PLAIN))))


_FULFILS: Mapping[str, frozenset[Wish]] = MappingProxyType(
    {
        "seat_change": frozenset({"seat_change", "seat_status"}),
        "flight_change": frozenset({"change_flight", "new_booking"}),
        "cancellation": frozenset({"cancel", "refund"}),
        "bags": frozenset({"bags"}),
        "passenger_correction": frozenset({"name"}),
        "cabin_change": frozenset({"upgrade"}),
    }
)


@dataclass(frozen=True)
class OpenWish:
    """What the customer wants now, and from which of their messages in sight on (0, 1, 2 …) they speak of it."""

    wish: Wish
    since: int


def open_wish(texts: Sequence[str], fulfilled: Sequence[tuple[str, int]] = ()) -> OpenWish | None:
    """Return what the customer wants now: of the newest message with wishes, the first that is not fulfilled yet.

    `fulfilled` holds kinds of confirmed quotes, each with the number of messages before its confirmation. Words about
    flights in the middle of a flight change ("the cheapest one") speak of that change and not of a new booking.
    """
    for place in range(len(texts) - 1, -1, -1):
        done = frozenset[Wish]().union(
            *(_FULFILS.get(kind, frozenset()) for kind, after in fulfilled if after > place + 1)
        )
        named = find_wishes(texts[place])
        remaining = [wish for wish in named if wish not in done]
        if not named:
            continue
        if not remaining:
            return None
        if remaining[0] == "new_booking" and not speaks_of_new(texts[place]):
            before = open_wish(texts[:place], fulfilled)
            if before is not None and before.wish == "change_flight":
                return before
        return OpenWish(remaining[0], _since(texts[: place + 1], remaining[0], fulfilled))
    return None


def _since(texts: Sequence[str], wish: Wish, fulfilled: Sequence[tuple[str, int]]) -> int:
    """Return the place of the first message from which on this wish alone was spoken of, and not fulfilled."""
    first = len(texts) - 1
    settled = max((after - 1 for kind, after in fulfilled if wish in _FULFILS.get(kind, frozenset())), default=0)
    for place in range(len(texts) - 1, -1, -1):
        named = find_wishes(texts[place])
        if wish in named:
            first = place
        elif named:
            break
    return min(max(first, settled), len(texts) - 1)


def current_wish(texts: Sequence[str]) -> Wish | None:
    """Name what the customer wants now, whatever has been done."""
    found = open_wish(texts)
    return found.wish if found else None
