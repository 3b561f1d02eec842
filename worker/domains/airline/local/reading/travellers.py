"""Tell for which passengers of a booking a seat is wanted: by name, as the other one, or for all together."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from worker.domains.airline.local.reading.seats import find_seats
from worker.domains.airline.rules.names import letters_of

_OTHER = re.compile(
    r"\b(?:my|for my|for the|the) (?:wife|husband|partner|son|daughter|child|kid|mother|father|mum|mom|dad|sister|"
    r"brother|friend|colleague|boyfriend|girlfriend|companion|other passenger)\b|\b(?:him|her|he|she)\b",
    re.IGNORECASE,
)
_TOGETHER = re.compile(
    r"\b(?:sit\w*|seat\w*|be|placed?|stay)\b.{0,25}"
    r"\b(?:together|side by side|next to each other|adjacent|beside each other)\b|"
    r"\b(?:together|side by side|next to each other) seats?\b|\bseats? (?:together|side by side|next to each other)\b",
    re.IGNORECASE,
)


class Move(NamedTuple):
    """A passenger and the seat that is wanted for them."""

    passenger: str
    seat: str


def travellers_in(text: str, passengers: Sequence[str], speaker: str | None) -> list[str]:
    """Name the passengers but the speaker that a message speaks of, in its order; of two, "my wife" is the other.

    A surname that several share tells nobody apart.
    """
    others = [name for name in passengers if name != speaker]
    words = [(match.start(), letters_of(match[0])) for match in re.finditer(r"[^\W\d_][\w'\-]*", text)]
    found = []
    for name in others:
        given = letters_of(name.rpartition(" ")[0])
        at = next((place for place, word in words if word in {given, f"{given}s"}), None)
        if at is not None:
            found.append((at, name))
    if not found and len(others) == 1 and _OTHER.search(text):
        return others
    return [name for _, name in sorted(found)]


def names_nobody_of_several(text: str, passengers: Sequence[str], speaker: str | None) -> list[str]:
    """Return whom of several a message may mean that only says "my husband" or "her"; none where that is clear."""
    others = [name for name in passengers if name != speaker]
    is_open = len(others) > 1 and _OTHER.search(text) and not travellers_in(text, passengers, None)
    return others if is_open else []


def moves_in(text: str, passengers: Sequence[str]) -> list[Move]:
    """Return who is to sit where, when a message names several passengers and as many seats, in order."""
    named = travellers_in(text, passengers, None)
    seats = find_seats(text)
    if len(named) < 2 or len(named) != len(seats):  # noqa: PLR2004 - several
        return []
    return [Move(name, seat) for name, seat in zip(named, seats, strict=True)]


def wants_together(text: str) -> bool:
    """Check whether passengers want to sit side by side."""
    return _TOGETHER.search(text) is not None
