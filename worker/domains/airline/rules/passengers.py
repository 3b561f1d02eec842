"""Decide about correcting a passenger's name: the same person, spelt rightly."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

from rapidfuzz.distance import OSA

from worker.conversation.refusal import Refusal
from worker.domains.airline.rules.flights import check_booked, check_none_flown, first_departure
from worker.domains.airline.rules.names import letters_of

if TYPE_CHECKING:
    from datetime import datetime

    from worker.domains.airline.records.backend import Passenger, Reservation

CHECK_IN_OPENS = timedelta(hours=24)
"""Before departure; from then on names stand on boarding passes, and a person corrects them."""
NAME_CHARACTERS_MAX = 40
LETTERS_PER_EDIT = 4
EDITS_MAX = 2
"""Edits allowed in a given name or surname: one for each four letters of it, at least one, at most two."""

_NAME = re.compile(r"(?=.*[^\W\d_])[^\W\d_][^\d_<>\[\]{}@/\\]*")


def check_correction(
    reservation: Reservation, passenger: Passenger, new_name: tuple[str, str], now: datetime
) -> Refusal | None:
    """Return why a passenger's given name and surname cannot become these; None when they can."""
    refusal = check_booked(reservation) or check_none_flown(reservation, now, "a correction")
    if refusal:
        return refusal
    departs_at = first_departure(reservation, now)
    if departs_at is not None and departs_at - now <= CHECK_IN_OPENS:
        return Refusal(
            "check_in_open", "Check-in for this trip has opened, so a colleague has to correct the name on it now."
        )
    given_name, surname = new_name
    if not _is_name(given_name) or not _is_name(surname):
        return Refusal(
            "no_such_name", "How exactly is the name written? I need the given name and the surname.", counts=False
        )
    if (given_name, surname) == (passenger.given_name, passenger.surname):
        return Refusal("already_yours", f"The name on the booking is {passenger.name} already.", counts=False)
    others = [p for p in reservation.passengers if p.number != passenger.number]
    taken = any(_same(given_name, p.given_name) and _same(surname, p.surname) for p in others)
    if taken or not is_same_person(passenger, given_name, surname):
        return Refusal(
            "another_person",
            "I can correct the spelling of a name. A ticket cannot go to another person, and for a new name, such as "
            "after a marriage, a colleague needs to see the document with both names.",
        )
    return None


def is_same_person(passenger: Passenger, given_name: str, surname: str) -> bool:
    """Check whether a new name is the old one spelt rightly.

    It is when given name and surname are only swapped; or when both begin with the same letter as before and differ by
    few edits (a letter added, left out, replaced, or two neighbours swapped), where middle names may come or go.
    """
    if _same(given_name, passenger.surname) and _same(surname, passenger.given_name):
        return True
    return _is_spelling_of(surname, passenger.surname) and (
        _is_spelling_of(given_name, passenger.given_name) or _differs_by_middle_names(given_name, passenger.given_name)
    )


def _is_spelling_of(new: str, old: str) -> bool:
    before, after = letters_of(old), letters_of(new)
    edits_max = min(EDITS_MAX, max(1, len(before) // LETTERS_PER_EDIT))
    return before[:1] == after[:1] and OSA.distance(before, after) <= edits_max


def _differs_by_middle_names(new: str, old: str) -> bool:
    before, after = [[letters_of(word) for word in name.split()] for name in (old, new)]
    shorter, longer = sorted((before, after), key=len)
    return longer[: len(shorter)] == shorter


def _same(one: str, other: str) -> bool:
    return letters_of(one) == letters_of(other)


def _is_name(name: str) -> bool:
    return len(name) <= NAME_CHARACTERS_MAX and name == name.strip() and _NAME.fullmatch(name) is not None
