"""Read which seat is wanted: one by number, or a kind; seats that are only spoken of, or turned down, are none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import Literal

from runtime.patterns import load_patterns

Preference = Literal["window", "aisle", "middle"]

_SEAT = re.compile(r"\b(30|[12]\d|0?[1-9])(?:([A-Fa-f])| ([A-F]))\b")
_CLAUSE_END = re.compile(r"[.,;!?\n]+\s|[;!?\n]|\b(?:but|and)\b")
_NEARBY_CHARACTERS = 400
_INSTEAD: dict[frozenset[Preference], Preference] = {
    frozenset({"window"}): "aisle",
    frozenset({"aisle"}): "window",
    frozenset({"middle"}): "aisle",
    frozenset({"window", "middle"}): "aisle",
    frozenset({"aisle", "middle"}): "window",
    frozenset({"window", "aisle"}): "middle",
}
"""What is offered to who only says which kinds they do not want."""


@cache
def _pattern(section: str) -> re.Pattern[str]:
    written = load_patterns("worker.domains.airline.local.reading", "seats.patterns")[section]
    return re.compile(written, re.IGNORECASE)


def find_seat(text: str) -> str | None:
    """Return the last seat that is wanted, as 12A."""
    seats = find_seats(text)
    return seats[-1] if seats else None


def find_seats(text: str) -> tuple[str, ...]:
    """Give every seat that is wanted, in the order named; a question about one, or a word on one's own, wants none."""
    return tuple(
        f"{int(match[1])}{(match[2] or match[3]).upper()}"
        for match in _SEAT.finditer(text)
        if not _is_only_spoken_of(text, match)
    )


def find_preference(text: str) -> Preference | None:
    """Return the last kind of seat that is wanted; of who only says what they do not want, one of the other kinds."""
    named = list(_kinds_in(text))
    wanted = [kind for kind, is_wanted in named if is_wanted]
    if wanted:
        return wanted[-1]
    unwanted = frozenset(kind for kind, is_wanted in named if not is_wanted)
    return _INSTEAD.get(unwanted) if unwanted and _pattern("only_not").search(text) else None


def is_state(clause: str) -> bool:
    """Check whether a clause only tells where somebody sits: "I'm at a window right now"."""
    said = clause.replace("\u2019", "'").strip()
    return _pattern("state").match(said) is not None and _pattern("state_wished_away").search(said) is None


def without_states(text: str) -> str:
    """Leave out the clauses that only tell where somebody sits."""
    ends = [0, *(end.end() for end in _CLAUSE_END.finditer(text)), len(text)]
    return "".join(text[begin:end] for begin, end in pairwise(ends) if not is_state(text[begin:end]))


def _clause_around(text: str, match: re.Match[str]) -> str:
    least = _nearby(match)
    begins = max((end.end() for end in _CLAUSE_END.finditer(text, least, match.start())), default=least)
    following = _CLAUSE_END.search(text, match.end())
    return text[begins : following.start() if following else len(text)]


def _kinds_in(text: str) -> Iterator[tuple[Preference, bool]]:
    """Return the kinds of seats in a text that are wanted or turned down, each with which of the two."""
    for match in _pattern("kind").finditer(text):
        if _pattern("no_seat").match(text, match.start()) or _asks_about_seats(text, match):
            continue
        if is_state(_clause_around(text, match)):
            continue
        kind = match[0].lower()
        found: Preference = "window" if kind == "window" else "aisle" if kind == "aisle" else "middle"
        yield found, _pattern("unwanted").search(text[_nearby(match) : match.start()]) is None


def _is_only_spoken_of(text: str, match: re.Match[str]) -> bool:
    before = text[_nearby(match) : match.start()]
    return (
        _pattern("unwanted").search(before) is not None
        or _pattern("own_seat").search(before) is not None
        or _asks_about_seats(text, match)
    )


def _nearby(match: re.Match[str]) -> int:
    """Return from where on the text before a match may say what it means: a message may speak of a thousand seats."""
    return max(0, match.start() - _NEARBY_CHARACTERS)


def _asks_about_seats(text: str, match: re.Match[str]) -> bool:
    """Check whether the clause around a match asks what a seat is like: "is that a window?"."""
    least = _nearby(match)
    starts = [end.end() for end in _CLAUSE_END.finditer(text, least, match.start())]
    begins = starts[-1] if starts else least
    earlier = starts[-2] if len(starts) > 1 else least
    return any(_pattern("asked_about").match(text[at:].lstrip()) is not None for at in {begins, earlier})
